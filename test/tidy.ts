/** Reads the house and names every place that breaks the floor plan. Used by tidy.test.ts, on the tree and on planted breaches. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import type { Row } from '../floorplan.ts'

export type Source = { path: string; text: string }
type Parsed = { path: string; plane: string; imports: string[]; faults: string[] }

const effectGlobals = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'process',
  'performance',
  'console',
  'WebSocket',
])
const effectMembers = new Set([
  'Date.now',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'crypto.subtle',
])
const effectNames =
  /^(random(Bytes|UUID|Int|Fill|FillSync)|generateKey\w*|scrypt|pbkdf2|hkdf|argon2|createGzip|gzip|deflate|inflate|gunzip)$/
const pureBuiltins = new Set([
  'node:crypto',
  'node:zlib',
  'node:buffer',
  'node:util',
  'node:assert/strict',
  'node:path',
])

/** Every product source under `root`: src/, bin/ and the console's, without tests. */
export function readHouse(root: string): Source[] {
  return ['src', 'bin', 'console/src'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .map((path) => join(top, path))
      .filter(
        (path) =>
          /\.tsx?$/.test(path) && !path.endsWith('.d.ts') && !path.endsWith('.test.ts') && !path.endsWith('.suite.ts'),
      )
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  )
}

/**
 * Checks sources against the plan.
 * @returns one sentence per fault: file, what is wrong, why, what to do; empty when the house is in order
 */
export function faultsOf(sources: Source[], plan: Record<string, Row>): string[] {
  const parsed = sources.map((source) => parse(source, plan))
  const known = new Set(parsed.map((file) => file.path))
  const edges = new Map<string, string[]>()
  const faults: string[] = []
  for (const file of parsed) {
    const row = plan[file.plane]
    faults.push(...file.faults)
    if (!row) {
      faults.push(
        `${file.path}: '${file.plane}' is not in the plan; add a row to floorplan.ts, or put the file in a plane that is`,
      )
      continue
    }
    const targets: string[] = []
    for (const specifier of file.imports) {
      const { target, fault } = resolve(file, specifier, row, known)
      if (fault) faults.push(`${file.path}: ${fault}`)
      if (target) targets.push(target)
    }
    edges.set(file.path, targets)
  }
  return [...faults, ...planFaults(plan), ...circles(edges)]
}

function parse({ path, text }: Source, plan: Record<string, Row>): Parsed {
  const [top = '', second = ''] = path.split('/')
  const plane = top === 'src' ? second : top
  const imports: string[] = []
  const faults: string[] = []
  const say = (what: string) => faults.push(`${path}: ${what}`)
  const effects = plan[plane]?.effects ?? false
  const isStore = path.endsWith('.store.ts')
  const result = parseSync(path, text)
  for (const error of result.errors) say(`does not parse: ${error.message}`)
  const literal = (node: unknown): string | undefined =>
    typeof (node as { value?: unknown })?.value === 'string' ? (node as { value: string }).value : undefined
  const effect = (what: string) => {
    if (!effects)
      say(`uses ${what}; only host/ has effects, so that the simulator can replace them: take it from a port`)
  }
  new Visitor({
    ImportDeclaration(node) {
      imports.push(node.source.value)
      for (const specifier of node.specifiers) {
        if (
          specifier.type === 'ImportSpecifier' &&
          'name' in specifier.imported &&
          effectNames.test(specifier.imported.name)
        )
          effect(specifier.imported.name)
      }
    },
    ExportNamedDeclaration(node) {
      if (node.source) imports.push(node.source.value)
    },
    ExportAllDeclaration(node) {
      imports.push(node.source.value)
      say("has 'export *'; list the names that the door opens")
    },
    ExportDefaultDeclaration() {
      say('has a default export; export by name')
    },
    ImportExpression(node) {
      const specifier = literal(node.source)
      if (specifier === undefined) say('imports by a computed name; name the file, so that the plan can see it')
      else imports.push(specifier)
    },
    TSImportType(node) {
      const specifier = literal(node.source)
      if (specifier !== undefined) imports.push(specifier)
    },
    NewExpression(node) {
      if (node.callee.type !== 'Identifier') return
      if (node.callee.name === 'URL') {
        const specifier = literal(node.arguments[0])
        if (specifier?.endsWith('.ts')) imports.push(specifier)
      }
      if (node.callee.name === 'Date' && node.arguments.length === 0) effect('new Date()')
    },
    CallExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'errorTable' && !path.endsWith('errors.ts')) {
        say('makes an error table; codes live in the errors.ts of the plane')
      }
    },
    MemberExpression(node) {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
      const name = `${node.object.name}.${node.property.name}`
      if (effectMembers.has(name)) effect(name)
      else if (effectGlobals.has(node.object.name)) effect(node.object.name)
      else if (node.object.name === 'WebAssembly' && /^(compile|instantiate)/.test(node.property.name)) effect(name)
    },
    Identifier(node) {
      if (/^(setTimeout|setInterval|setImmediate|fetch)$/.test(node.name)) effect(node.name)
    },
    TaggedTemplateExpression(node) {
      if (node.tag.type === 'Identifier' && node.tag.name === 'sql' && !isStore && plane !== 'kernel') {
        say('holds SQL; the only SQL of a noun is in its .store.ts')
      }
    },
  }).visit(result.program)
  return { path, plane, imports, faults: [...new Set(faults)] }
}

function resolve(file: Parsed, specifier: string, row: Row, known: Set<string>): { target?: string; fault?: string } {
  if (specifier.startsWith('#')) {
    const plane = specifier.slice(1)
    if (plane === file.plane) return { fault: 'imports its own door; import the file beside it' }
    if (!row.on.includes(plane))
      return { fault: `${file.plane} may not stand on ${plane}; ${row.why} Hand it in as a port, or state a fact` }
    return { target: `src/${plane}/index.ts` }
  }
  // A bundler's matter: it fails where one is missing.
  if (specifier.endsWith('.css') && file.plane === 'console') return {}
  if (specifier.startsWith('.')) {
    const path = normalize(join(dirname(file.path), specifier))
    if (!known.has(path))
      return { fault: `imports ${specifier}, which is no source of the house; name an existing file with its .ts` }
    const [top = '', second = ''] = path.split('/')
    const plane = top === 'src' ? second : top
    if (plane !== file.plane) {
      const door = `src/${plane}/index.ts`
      if (plane === 'host' && row.on.includes('host') && path === door) return { target: path }
      return { fault: `reaches into ${relative('.', path)}; planes meet at doors: import #${plane}` }
    }
    return { target: path }
  }
  if (specifier.startsWith('node:')) {
    if (!row.effects && !pureBuiltins.has(specifier))
      return { fault: `imports ${specifier}; only host/ touches the machine: take it from a port` }
    return {}
  }
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '')
  if (!row.packages.includes(name))
    return { fault: `imports the package ${name}; allow it in the plan with a decision record, or do without` }
  return {}
}

function planFaults(plan: Record<string, Row>): string[] {
  const order = Object.keys(plan)
  return order.flatMap((plane, at) =>
    (plan[plane]?.on ?? [])
      .filter((below) => order.indexOf(below) === -1 || order.indexOf(below) >= at)
      .map(
        (below) =>
          `floorplan.ts: ${plane} stands on ${below}, which is not above it in the list; reorder the plan or break the circle`,
      ),
  )
}

function circles(edges: Map<string, string[]>): string[] {
  const found: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (path: string): void => {
    state.set(path, 'open')
    trail.push(path)
    for (const next of edges.get(path) ?? []) {
      if (state.get(next) === 'open') {
        found.push(
          `circle: ${[...trail.slice(trail.indexOf(next)), next].join(' -> ')}; move the shared part down a floor`,
        )
      } else if (!state.has(next)) visit(next)
    }
    trail.pop()
    state.set(path, 'done')
  }
  for (const path of edges.keys()) if (!state.has(path)) visit(path)
  return found
}
