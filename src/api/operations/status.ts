import { operation } from '../operation.ts'
import { about, choice, fields, flag, integer, list, nullable, number, record, type Static, text } from '../schema.ts'
import { kitStateSchema } from './kit.ts'
import { bytes, nothing, runners, time, watchers } from './words.ts'

export const processState = choice('starting', 'running', 'waiting', 'stopping', 'stopped')

/** One process of Pelago as its supervisor sees it. */
export const processSchema = fields({
  name: text(),
  role: choice('federation', 'provider', 'unwrap', 'gateway'),
  state: processState,
  pid: nullable(integer()),
  since: about('When the state began.', time),
  restartAt: about('When a waiting process is started again.', nullable(time)),
  restarts: integer({ min: 0 }),
  because: about('Why it is in this state, in words.', text({ max: 2000 })),
  url: text(),
})
export type ProcessStatus = Static<typeof processSchema>

/** Everything about the processes of one data folder. */
export const getStatus = operation({
  id: 'status.get',
  summary: 'Says which processes run, since when, and why one does not.',
  method: 'GET',
  path: '/v1/status',
  server: 'supervisor',
  roles: watchers,
  reach: 'house',
  input: nothing,
  output: fields({
    startedAt: time,
    now: time,
    data: text({ max: 4096 }),
    version: text(),
    s3: text(),
    processes: list(processSchema, 1000),
    disk: fields({ freeBytes: bytes, totalBytes: bytes }),
  }),
  errors: [],
})

const margins = about(
  'How many more losses are survived, and how much is in that state; -1 cannot be read now.',
  list(fields({ margin: integer({ min: -1 }), segments: bytes, bytes }), 64),
)

/** What a reader of the processes wants to hear of: everything but the time. */
export const watchStatus = operation({
  id: 'status.watch',
  summary: 'Says which processes run, and again whenever one begins, stops, or is waited for.',
  method: 'GET',
  path: '/v1/status/events',
  server: 'supervisor',
  roles: watchers,
  reach: 'house',
  stream: true,
  input: nothing,
  output: fields({ now: time, processes: list(processSchema, 1000) }),
  errors: [],
})

/** What the gateway has seen of its providers and what margin its objects have. */
export const getHealth = operation({
  id: 'health.get',
  summary:
    'Says how many losses the stored objects of the tenant still survive, and which providers answer; whoever runs the gateway sees it of all tenants, and how full it is.',
  method: 'GET',
  path: '/v1/health',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: nothing,
  output: fields({
    now: time,
    providers: list(
      fields({
        id: text(),
        name: text(),
        country: text(),
        owner: text(),
        ownerCountry: text(),
        attestations: list(text(), 100),
        state: choice('alive', 'dark'),
        darkSince: nullable(time),
        full: flag(),
        latencyMs: number({ min: 0 }),
        usedBytes: nullable(bytes),
        quotaBytes: nullable(bytes),
      }),
      1000,
    ),
    margins,
    degraded: about('Segments whose margin is below what their bucket promises.', bytes),
    repairing: about(
      'Segments that are being brought back to their promise; null where it is not told.',
      nullable(bytes),
    ),
    objects: nullable(bytes),
    memory: about(
      'What the gateway holds for requests, and the most it would; empty where it is not told.',
      record(fields({ usedBytes: bytes, limitBytes: bytes }), 8),
    ),
    kit: about('The recovery kit: what gives everything back when this machine is lost.', kitStateSchema),
    directory: fields({ version: integer({ min: 0 }), issuedAt: time, expiresAt: time }),
  }),
  errors: [],
})

export const watchHealth = operation({
  id: 'health.watch',
  summary:
    'Says which providers answer and what margin the objects of the tenant have, and again whenever that changes; whoever runs the gateway sees it of all.',
  method: 'GET',
  path: '/v1/health/events',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  stream: true,
  input: nothing,
  output: fields({
    now: time,
    providers: list(
      fields({ id: text(), state: choice('alive', 'dark'), darkSince: nullable(time), full: flag() }),
      1000,
    ),
    margins,
    degraded: about('Segments whose margin is below what their bucket promises.', bytes),
    repairing: about(
      'Segments that are being brought back to their promise; null where it is not told.',
      nullable(bytes),
    ),
    objects: nullable(bytes),
  }),
  errors: [],
})

/** One step of `pelago doctor`. */
const findingSchema = fields({
  step: text(),
  state: choice('good', 'warning', 'bad', 'skipped'),
  says: text({ max: 4000 }),
  mend: about('What to do; empty when nothing is.', text({ max: 4000 })),
})
export type Finding = Static<typeof findingSchema>

export const runDoctor = operation({
  id: 'doctor.run',
  summary: 'Examines Node, ports, data folder, disk, clock, each role and the directory.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/doctor',
  server: 'supervisor',
  roles: runners,
  reach: 'house',
  states: { none: 'It looks, and changes nothing.' },
  input: nothing,
  output: fields({ findings: list(findingSchema, 1000) }),
  errors: [],
})
