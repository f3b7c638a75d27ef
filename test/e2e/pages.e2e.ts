import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Pelago, startPelago } from '../acceptance/start-pelago.ts'
import { accessibilityFaults, becomeOwner, openPerson, type Person } from './browser.ts'

let pelago: Pelago
let anna: Person
before(async () => {
  pelago = await startPelago()
  anna = await openPerson(pelago)
})
after(async () => {
  await anna?.close()
  await pelago?.close()
})

test('the page of sign-in has no fault of accessibility, in both languages and colours', async () => {
  await anna.page.goto(anna.base)
  await eachLook(anna, async (look) => {
    await anna.page.getByRole('heading', { level: 1 }).waitFor()
    await anna.picture(`sign-in-${look}`)
    assert.deepEqual(await accessibilityFaults(anna.page), [], look)
  })
})

test('the first owner comes in with a code and two passkeys', async () => {
  await becomeOwner(pelago, anna)
  assert.equal(
    (await anna.context.cookies()).every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Strict'),
    true,
  )
  const kept = await anna.page.evaluate(() => Object.keys(localStorage))
  assert.deepEqual(
    kept.filter((name) => !['pelago-language', 'pelago-theme'].includes(name)),
    [],
  )
})

test('the start page is small', async () => {
  const sizes: number[] = []
  const fresh = await openPerson(pelago)
  try {
    await fresh.context.addCookies(await anna.context.cookies())
    fresh.page.on('response', (response) => {
      const path = new URL(response.url()).pathname
      if (!path.startsWith('/v1/')) sizes.push(Number(response.headers()['content-length'] ?? Number.POSITIVE_INFINITY))
    })
    await fresh.page.goto(fresh.base)
    await fresh.page.getByRole('rowheader', { name: 'Shannon Cloud' }).waitFor()
    const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000
    console.log(`start page: ${sizes.length} files, ${kilobytes.toFixed(0)} kB as sent`)
    assert.ok(kilobytes < 200, `${kilobytes} kB`)
  } finally {
    await fresh.close()
  }
})

for (const path of ['/', '/storage', '/storage?new=1', '/people', '/keys', '/jobs', '/log', '/nowhere']) {
  test(`${path} has no fault of accessibility, in both languages and colours, wide and on a phone`, async () => {
    for (const width of [1360, 390]) {
      await anna.page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
      await eachLook(anna, async (look) => {
        await anna.page.goto(anna.base + path)
        await anna.page.getByRole('heading').first().waitFor()
        await anna.page.getByText(/One moment|Einen Augenblick/).waitFor({ state: 'detached' })
        await anna.picture(`${path.replace(/\W/g, '') || 'start'}-${look}-${width}`)
        assert.deepEqual(await accessibilityFaults(anna.page), [], `${look} ${width}`)
        const overflow = Number(await anna.page.evaluate('document.documentElement.scrollWidth - innerWidth'))
        assert.ok(overflow <= 0, `${path} is ${overflow} px wider than the screen of ${width}`)
      })
    }
    assert.deepEqual(anna.faults, [])
  })
}

async function eachLook({ page }: Person, act: (look: string) => Promise<void>): Promise<void> {
  for (const language of ['en', 'de']) {
    for (const theme of ['light', 'dark']) {
      await page.evaluate(
        (chosen) => {
          localStorage.setItem('pelago-language', chosen.language)
          localStorage.setItem('pelago-theme', chosen.theme)
        },
        { language, theme },
      )
      await page.reload()
      await act(`${language}-${theme}`)
    }
  }
}
