import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from '../acceptance/start-pelago.ts'
import { becomeOwner, openPerson, type Person } from './browser.ts'

let pelago: Pelago
let anna: Person
before(async () => {
  pelago = await startPelago()
  anna = await openPerson(pelago)
  await becomeOwner(pelago, anna)
})
after(async () => {
  await anna?.close()
  await pelago?.close()
})

test('she makes a bucket and sees at once who may hold it and who may not', async () => {
  const { page, base } = anna
  await page.goto(`${base}/storage`)
  await page.getByRole('button', { name: 'New bucket' }).click()
  await page.getByText('6 of 7 providers may hold it.').waitFor()
  await page.getByText(/Prairie Compute Inc\. is from United States/).waitFor()
  await page.getByText('4 parts and 2 for safety').waitFor()
  await page.getByText('Attested C5', { exact: true }).click()
  await page.getByText('2 of 7 providers may hold it.').waitFor()
  await page.getByText('Europe, no owners from outside').click()
  await page.getByLabel('Name').fill('pictures')
  await page.getByRole('button', { name: 'Create bucket' }).click()
  await page.getByRole('rowheader', { name: 'pictures' }).waitFor()
})

test('a name that is taken is refused in words, and nothing is lost of the form', async () => {
  const { page } = anna
  await page.getByRole('button', { name: 'New bucket' }).click()
  await page.getByLabel('Name').fill('pictures')
  await page.getByRole('button', { name: 'Create bucket' }).click()
  await page
    .getByRole('alert')
    .getByText(/pictures/)
    .waitFor()
  assert.equal(await page.getByLabel('Name').inputValue(), 'pictures')
  await page.keyboard.press('Escape')
})

test('she makes a key, and a program stores and reads with it', async () => {
  const { page, base } = anna
  await page.goto(`${base}/keys`)
  await page.getByRole('button', { name: 'New access key' }).click()
  await page.getByLabel('What for').fill('pictures of the yard')
  await page.getByRole('dialog').getByRole('button', { name: 'New access key' }).click()
  await page.getByText('Copy the secret now.').waitFor()
  const [accessKeyId = '', secretAccessKey = ''] = await page.getByRole('dialog').locator('code').allTextContents()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('rowheader', { name: accessKeyId }).waitFor()
  const s3 = new S3Client({
    endpoint: pelago.s3,
    region: pelago.region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  const body = randomBytes(3_000_000)
  await s3.send(new PutObjectCommand({ Bucket: 'pictures', Key: 'yard.jpg', Body: body }))
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'pictures', Key: 'yard.jpg' }))
  assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), body)
  await page.goto(base)
  await page.getByText('Everything is well: one object, and each survives the loss of 2 providers at once.').waitFor()
})

test('she stops two providers, is told that nothing is lost, and brings them back', async () => {
  const { page } = anna
  await page.getByRole('button', { name: 'Stop Alster Rechenzentrum' }).click()
  await page.getByRole('button', { name: 'Start Alster Rechenzentrum' }).waitFor()
  await page.getByRole('button', { name: 'Stop Isar Cloud' }).click()
  await page.getByRole('button', { name: 'Start Isar Cloud' }).waitFor()
  await page
    .getByText(/Everything can be read\.|2 providers do not answer/)
    .first()
    .waitFor()
  await anna.picture('two-providers-dead')
  await page.getByRole('button', { name: 'Start Alster Rechenzentrum' }).click()
  await page.getByRole('button', { name: 'Start Isar Cloud' }).click()
  await page.getByText('Everything is well: one object').waitFor({ timeout: 60_000 })
})

test('she finds a page by its name without the mouse', async () => {
  const { page, base } = anna
  await page.keyboard.press('Control+k')
  await page.getByRole('searchbox').waitFor()
  await page.keyboard.type('security')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Security log' }).waitFor()
  assert.equal(page.url(), `${base}/log`)
  await page.getByRole('rowheader', { name: 'bucket.created' }).first().waitFor()
})

test('she invites somebody, withdraws a key by typing its name, and signs out', async () => {
  const { page, base } = anna
  await page.goto(`${base}/people`)
  await page.getByRole('button', { name: 'New person' }).click()
  await page.getByLabel('Your short name').fill('ben')
  await page.getByLabel('Your full name').fill('Ben Isar')
  await page.getByText('Auditor', { exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'New person' }).click()
  const ben = page.getByRole('row', { name: /Ben Isar/ })
  await ben.getByRole('button', { name: 'Make a code' }).click()
  await page.getByText('Hand this code to ben.').waitFor()
  await page.keyboard.press('Escape')
  await page.goto(`${base}/keys`)
  const key = page.getByRole('row', { name: /pictures of the yard/ })
  const id = (await key.locator('code').textContent()) ?? ''
  await key.getByRole('button', { name: /Withdraw/ }).click()
  const withdraw = page.getByRole('dialog').getByRole('button', { name: 'Withdraw' })
  assert.equal(await withdraw.isDisabled(), true)
  await page.getByRole('dialog').getByRole('textbox').fill(id)
  await withdraw.click()
  await key.waitFor({ state: 'detached' })
  await page
    .getByRole('button', { name: /Sign out/ })
    .first()
    .click()
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
  assert.deepEqual(anna.faults, [])
})
