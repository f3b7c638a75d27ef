import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type BrowserContext, type CDPSession, chromium as engine, type Page } from 'playwright-core'
import type { Pelago } from '../acceptance/start-pelago.ts'

/** Where Debian puts it; another may be named. */
export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** What the run looked like, for people. */
export const pictures = join(tmpdir(), 'pelago-e2e')

export type Person = {
  page: Page
  context: BrowserContext
  /** Where the console is. */
  base: string
  /** Scripts that failed, and what the page's policy refused, so far. */
  faults: string[]
  /** A new device for passkeys; the one before is gone. */
  changeDevice(): Promise<void>
  picture(name: string): Promise<void>
  close(): Promise<void>
}

/** Somebody with a browser before the console of a federation that runs. */
export async function openPerson(
  { data }: Pick<Pelago, 'data'>,
  options: { locale?: string; width?: number; height?: number; dark?: boolean } = {},
): Promise<Person> {
  const { ports } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as { ports: { gateway: number } }
  const browser = await engine.launch({ executablePath: chromium, args: ['--no-sandbox'] })
  const context = await browser.newContext({
    locale: options.locale ?? 'en-GB',
    viewport: { width: options.width ?? 1360, height: options.height ?? 900 },
    colorScheme: options.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    // A refusal is an answer, not a fault; the browser reports it all the same.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) faults.push(message.text())
  })
  const devices = await context.newCDPSession(page)
  await devices.send('WebAuthn.enable')
  let device = await newDevice(devices)
  return {
    page,
    context,
    base: `http://localhost:${ports.gateway}`,
    faults,
    async changeDevice() {
      await devices.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device })
      device = await newDevice(devices)
    },
    picture: async (name) => void (await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })),
    close: () => browser.close(),
  }
}

async function newDevice(devices: CDPSession): Promise<string> {
  const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return authenticatorId
}

/** The first owner: a code from the machine, then two passkeys. */
export async function becomeOwner(pelago: Pelago, { page, base, changeDevice }: Person): Promise<void> {
  const { out } = await pelago.cli('admin', 'code')
  const code = /[A-Z0-9]{4}(-[A-Z0-9]{4})+/.exec(out)?.[0]
  assert.ok(code, out)
  await page.goto(base)
  await page.getByRole('button', { name: /I have a code|Ich habe einen Code/ }).click()
  await page.getByRole('textbox', { name: 'Code' }).fill(code)
  await page.getByLabel(/Your short name|Ihr Kurzname/).fill('anna')
  await page.getByLabel(/Your full name|Ihr voller Name/).fill('Anna Alster')
  await page.getByRole('button', { name: /^(Go on|Weiter)$/ }).click()
  for (const [at, name] of ['laptop', 'safe'].entries()) {
    if (at > 0) await changeDevice()
    await page.getByLabel(/What do you call it|Wie nennen Sie ihn/).fill(name)
    await page.getByRole('button', { name: /Register a passkey|Passkey hinterlegen/ }).click()
    const next = at === 0 ? /One more passkey|Noch ein Passkey/ : /Your storage|Ihr Speicher/
    await page.getByText(next).first().waitFor()
  }
}

/** What axe finds wrong with the page as it stands. Rules: WCAG 2.2 A and AA, and axe's own good practice. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target.join(' ')}`))
}
