import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Pelago, run, startPelago } from './start-pelago.ts'

/** Debian's packages only: what else is called by these names on a machine may be anything. */
const tools = { aws: '/usr/bin/aws', s3cmd: '/usr/bin/s3cmd', rclone: '/usr/bin/rclone', restic: '/usr/bin/restic' }
const packages = { aws: 'awscli', s3cmd: 's3cmd', rclone: 'rclone', restic: 'restic' }
const absent = (tool: keyof typeof tools) =>
  !existsSync(tools[tool]) && `${tool} is not installed; enable with: sudo apt-get install -y ${packages[tool]}`

describe('clients of others, as Debian has them', {
  skip:
    Object.values(tools).every((tool) => !existsSync(tool)) &&
    'none is installed; enable with: sudo apt-get install -y awscli s3cmd rclone restic',
}, () => {
  let pelago: Pelago
  let home: string
  const large = randomBytes(40 * 1024 * 1024)
  const small = Buffer.from('a small file\n')

  before(async () => {
    pelago = await startPelago()
    home = await mkdtemp(join(tmpdir(), 'pelago-clients-'))
    await writeFile(join(home, 'large'), large)
    await writeFile(join(home, 'small'), small)
  })
  after(async () => {
    await pelago.close()
    await rm(home, { recursive: true, force: true })
  })
  const call = async (tool: keyof typeof tools, words: string[], env: NodeJS.ProcessEnv = {}) => {
    const { code, out, err } = await run(tools[tool], words, {
      cwd: home,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: home,
        AWS_ACCESS_KEY_ID: pelago.accessKeyId,
        AWS_SECRET_ACCESS_KEY: pelago.secretAccessKey,
        AWS_DEFAULT_REGION: pelago.region,
        ...env,
      },
    })
    assert.equal(code, 0, `${tool} ${words.join(' ')}: ${err}${out}`)
    return out
  }
  const same = async (file: string, content: Buffer) =>
    assert.ok((await readFile(join(home, file))).equals(content), file)

  test('awscli', { skip: absent('aws') }, async () => {
    const aws = (...words: string[]) => call('aws', ['--endpoint-url', pelago.s3, ...words])
    await aws('s3', 'mb', 's3://awscli')
    await aws('s3', 'cp', 'small', 's3://awscli/dir/small')
    await aws('s3', 'cp', 'large', 's3://awscli/dir/large', '--metadata', 'a=b')
    assert.match(await aws('s3', 'ls', 's3://awscli/dir/'), /41943040 large\n.* 13 small/)
    await aws('s3', 'cp', 's3://awscli/dir/large', 'aws-large')
    await same('aws-large', large)
    await aws('s3', 'cp', 's3://awscli/dir/large', 's3://awscli/copy')
    await aws('s3api', 'get-object', '--bucket', 'awscli', '--key', 'copy', '--range', 'bytes=100-199', 'aws-range')
    await same('aws-range', large.subarray(100, 200))
    await mkdir(join(home, 'tree', 'inner'), { recursive: true })
    await writeFile(join(home, 'tree', 'inner', 'ä +%.txt'), small)
    await aws('s3', 'sync', 'tree', 's3://awscli/tree')
    await aws('s3', 'sync', 's3://awscli/tree', 'tree-back')
    await same('tree-back/inner/ä +%.txt', small)
    assert.equal(
      JSON.parse(await aws('s3api', 'head-object', '--bucket', 'awscli', '--key', 'dir/large')).Metadata.a,
      'b',
    )
    await aws('s3', 'rm', 's3://awscli', '--recursive')
    await aws('s3', 'rb', 's3://awscli')
  })

  test('s3cmd', { skip: absent('s3cmd') }, async () => {
    const host = new URL(pelago.s3).host
    await writeFile(
      join(home, 's3cfg'),
      `[default]\naccess_key = ${pelago.accessKeyId}\nsecret_key = ${pelago.secretAccessKey}\nhost_base = ${host}\nhost_bucket = ${host}\nuse_https = False\nbucket_location = ${pelago.region}\n`,
    )
    const s3cmd = (...words: string[]) => call('s3cmd', ['-c', 's3cfg', '--no-progress', ...words])
    await s3cmd('mb', 's3://s3cmd')
    await s3cmd('put', 'small', 's3://s3cmd/small')
    await s3cmd('put', 'large', 's3://s3cmd/dir/large')
    assert.match(await s3cmd('ls', '-r', 's3://s3cmd'), /s3:\/\/s3cmd\/dir\/large[^]*s3:\/\/s3cmd\/small/)
    assert.match(await s3cmd('info', 's3://s3cmd/small'), /File size: 13/)
    await s3cmd('get', 's3://s3cmd/dir/large', 's3cmd-large')
    await same('s3cmd-large', large)
    await s3cmd('cp', 's3://s3cmd/small', 's3://s3cmd/copy')
    await s3cmd('get', 's3://s3cmd/copy', 's3cmd-copy')
    await same('s3cmd-copy', small)
    await s3cmd('del', '-r', '-f', 's3://s3cmd')
    await s3cmd('rb', 's3://s3cmd')
  })

  test('rclone', { skip: absent('rclone') }, async () => {
    const rclone = (...words: string[]) =>
      call('rclone', [
        '--config',
        join(home, 'none'),
        '--s3-provider',
        'Other',
        '--s3-endpoint',
        pelago.s3,
        '--s3-env-auth',
        '--s3-region',
        pelago.region,
        ...words,
      ])
    await rclone('mkdir', ':s3:rclone')
    await mkdir(join(home, 'rtree', 'sub'), { recursive: true })
    await writeFile(join(home, 'rtree', 'large'), large)
    await writeFile(join(home, 'rtree', 'sub', 'small ü'), small)
    await rclone('sync', 'rtree', ':s3:rclone/tree', '--s3-upload-cutoff', '10M', '--s3-chunk-size', '5M')
    await rclone('check', 'rtree', ':s3:rclone/tree', '--download')
    await rclone('copy', ':s3:rclone/tree', 'rtree-back')
    await same('rtree-back/large', large)
    await same('rtree-back/sub/small ü', small)
    await rclone('copyto', ':s3:rclone/tree/large', ':s3:rclone/copy')
    assert.match(await rclone('lsf', '-R', ':s3:rclone'), /tree\/sub\/small ü/)
    await rclone('purge', ':s3:rclone')
  })

  test('restic', { skip: absent('restic') }, async () => {
    const restic = (...words: string[]) =>
      call('restic', ['-r', `s3:${pelago.s3}/restic`, ...words], { RESTIC_PASSWORD: 'correct horse' })
    await restic('init')
    await mkdir(join(home, 'files'), { recursive: true })
    await writeFile(join(home, 'files', 'large'), large)
    await writeFile(join(home, 'files', 'small'), small)
    await restic('backup', 'files')
    await writeFile(join(home, 'files', 'small'), 'changed')
    await restic('backup', 'files')
    await restic('check', '--read-data')
    await restic('restore', 'latest', '--target', 'restored')
    await same('restored/files/large', large)
    assert.equal(readFileSync(join(home, 'restored', 'files', 'small'), 'utf8'), 'changed')
    await restic('forget', '--keep-last', '1', '--prune')
    await restic('check')
  })
})
