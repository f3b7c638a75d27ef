import { lazy, Suspense, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, NavLink, Outlet, useLocation } from 'react-router'
import { getConsole, getSession, signOut } from '#api'
import { isSignedOut, useAct, useAnswer } from '../api/use-api.ts'
import { Button } from '../look/button.tsx'
import { Leave, Search } from '../look/icons.tsx'
import { places } from './places.ts'
import { Problem } from './problem.tsx'
import css from './shell.module.css'
import { LanguageButton, ThemeButton } from './switches.tsx'

const SignInPage = lazy(() =>
  import('../pages/sign-in/sign-in-page.tsx').then((page) => ({ default: page.SignInPage })),
)
const bringPalette = () => import('./palette.tsx')
const Palette = lazy(() => bringPalette().then(({ Palette }) => ({ default: Palette })))

/** What stands around every page: who may see it, the menu, language and colours. */
export function Shell() {
  const { t } = useTranslation()
  const session = useAnswer(getSession, {}, { everyMs: 60_000 })
  if (session.isPending) return <p className="unseen">{t('loading')}</p>
  if (session.error) {
    if (isSignedOut(session.error))
      return (
        <Suspense>
          <SignInPage onSignedIn={() => void session.refetch()} />
        </Suspense>
      )
    return (
      <main className={css.main}>
        <Problem error={session.error} />
      </main>
    )
  }
  return <House actor={session.data.actor} roles={session.data.roles} />
}

function House({ actor, roles }: { actor: string; roles: readonly string[] }) {
  const { t } = useTranslation()
  const about = useAnswer(getConsole, {})
  const leave = useAct(signOut)
  const [finding, setFinding] = useState(false)
  const { pathname } = useLocation()
  const visible = places.filter((place) => place.roles.some((role) => roles.includes(role)))
  const here = places.find(({ path }) => path === pathname)
  useEffect(() => {
    document.title = here ? `${t(`menu.${here.name}`)} · ${t('name')}` : t('name')
  }, [here, t])
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey)) return
      event.preventDefault()
      setFinding(true)
    }
    addEventListener('keydown', hear)
    // It is there before anybody calls it, so that no letter is lost; the page itself comes first.
    const later = setTimeout(() => void bringPalette(), 2000)
    return () => {
      clearTimeout(later)
      removeEventListener('keydown', hear)
    }
  }, [])
  const menu = visible.map(({ path, name, Icon }) => (
    <NavLink key={path} to={path} end className={css.place}>
      <Icon />
      {t(`menu.${name}`)}
    </NavLink>
  ))
  const out = () => leave.mutate({}, { onSuccess: ({ signOutUrl }) => location.assign(signOutUrl ?? '/') })
  return (
    <>
      <a className={css.skip} href="#content">
        {t('skip')}
      </a>
      {about.data?.demo === true && (
        <aside className={css.demo} aria-label={t('frame.demoLabel')}>
          {t('frame.demo')}
        </aside>
      )}
      <div className={css.house}>
        <header className={css.side}>
          <Brand />
          <Button onPress={() => setFinding(true)}>
            <Search size={18} /> {t('frame.palette')}
          </Button>
          <nav aria-label={t('menu.label')} className={css.menu}>
            {menu}
          </nav>
          <div className={css.foot}>
            <LanguageButton named />
            <ThemeButton named />
            <Button kind="quiet" onPress={out}>
              <Leave /> {t('frame.signOut')} ({actor})
            </Button>
          </div>
        </header>
        <header className={css.top}>
          <Brand />
          <div>
            <Button kind="quiet" square aria-label={t('frame.palette')} onPress={() => setFinding(true)}>
              <Search />
            </Button>
            <LanguageButton />
            <ThemeButton />
            <Button kind="quiet" square aria-label={t('frame.signOut')} onPress={out}>
              <Leave />
            </Button>
          </div>
        </header>
        <main id="content" className={css.main} tabIndex={-1}>
          {leave.error && <Problem error={leave.error} />}
          <Suspense fallback={<p>{t('loading')}</p>}>
            <Outlet />
          </Suspense>
        </main>
        <nav aria-label={t('menu.label')} className={css.bar}>
          {menu}
        </nav>
      </div>
      {finding && (
        <Suspense>
          <Palette open onClose={() => setFinding(false)} places={visible} onSignOut={out} />
        </Suspense>
      )}
    </>
  )
}

function Brand() {
  const { t } = useTranslation()
  return (
    <Link to="/" className={css.brand}>
      <img src="/icon.svg" alt="" width="28" height="28" /> {t('name')}
    </Link>
  )
}
