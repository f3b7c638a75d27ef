/**
 * The plan of the house. Each plane stands only on planes above it in this list, so a circle cannot be written down.
 * `packages`: what it may import from the registry. `effects`: may touch clock, disk, sockets, processes, randomness.
 */
export type Row = { on: string[]; packages: string[]; effects: boolean; why: string }

const pure = { packages: [] as string[], effects: false }

export const floorplan: Record<string, Row> = {
  kernel: { on: [], ...pure, why: 'Words that everyone shares; it must stay free of everything.' },
  api: { on: ['kernel'], ...pure, why: 'The public contract is data; edges and clients derive from it.' },
  journal: { on: ['kernel'], ...pure, why: 'Facts are appended in the transaction of whoever states them.' },
  work: { on: ['kernel'], ...pure, why: 'Every background loop runs here, whatever it does.' },
  client: { on: ['kernel', 'api'], ...pure, why: 'CLI and console know the contract, never the planes behind it.' },
  access: {
    on: ['kernel', 'journal'],
    packages: ['jose'],
    effects: false,
    why: 'Who may do what, before anything is done.',
  },
  trust: {
    on: ['kernel', 'journal'],
    packages: ['@peculiar/x509'],
    effects: false,
    why: 'Who is who on the wire; time and chance are handed in, so that it can be tried at any time.',
  },
  endpoint: {
    on: ['kernel', 'journal', 'work', 'trust'],
    packages: ['@peculiar/x509', 'jose'],
    effects: false,
    why: 'Certificates that clients from outside see: made here or ordered, kept in the index, the same at all gateways.',
  },
  pool: { on: ['kernel', 'journal'], ...pure, why: 'Members, facts and placement know nothing of bytes.' },
  storage: {
    on: ['kernel', 'journal', 'work', 'pool'],
    ...pure,
    why: 'Bytes are placed by the pool; storage knows no wire protocol and no people.',
  },
  s3: {
    on: ['kernel', 'access', 'pool', 'storage'],
    packages: ['fast-xml-parser'],
    effects: false,
    why: 'A protocol over storage and access; one operation per file.',
  },
  roles: {
    on: ['kernel', 'api', 'journal', 'work', 'access', 'trust', 'pool', 'storage', 's3'],
    ...pure,
    why: 'Compositions of planes; ports are handed in, so the simulator composes the same.',
  },
  cli: {
    on: ['kernel', 'api', 'journal', 'client'],
    packages: ['commander'],
    effects: false,
    why: 'Commands stand on the client; proofs of the log are checked here, because who asks for them trusts no server.',
  },
  host: {
    on: [
      'kernel',
      'api',
      'journal',
      'work',
      'client',
      'access',
      'trust',
      'endpoint',
      'pool',
      'storage',
      's3',
      'roles',
      'cli',
    ],
    packages: ['commander', 'openid-client', 'pg', 'prom-client'],
    effects: true,
    why: 'The real world: adapters, processes, configuration.',
  },
  console: {
    on: ['kernel', 'api', 'client'],
    packages: [
      '@tanstack/react-query',
      'i18next',
      'react',
      'react-aria-components',
      'react-dom',
      'react-i18next',
      'react-router',
      'virtual:europe',
    ],
    effects: true,
    why: 'What people see; it knows the contract alone, so whatever it can do, a script can.',
  },
  bin: { on: ['kernel', 'cli', 'host'], packages: [], effects: true, why: 'Starters of at most 20 lines.' },
}
