/**
 * The tool of the `command` driver's subjects: keeps `things.json` of its working directory as one JSON file per thing in
 * the directory TARGET. `plan`, `apply` and `validate` are for shell commands, `protocol` for the driver protocol.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

interface Thing {
  [attribute: string]: string
}
interface Source {
  things: { [name: string]: Thing }
  /** Names of things that it cannot look at. */
  blind?: string[]
}
interface Change {
  address: string
  resource: 'thing'
  actions: string[]
  attributes: { path: string; before?: string; after?: string; sensitive?: boolean }[]
}
interface Rule {
  address: string
  attribute: string
}
interface Request {
  verb: string
  destroy: boolean
  ignore: Rule[]
  settings: { target: string }
  plan?: { changes: { address: string }[] }
}

class Fault extends Error {
  fault: string
  constructor(fault: string, message: string) {
    super(message)
    this.fault = fault
  }
}

function readSource(): Source {
  try {
    return JSON.parse(readFileSync('things.json', 'utf8')) as Source
  } catch (thrown) {
    throw new Fault('source', `things.json: ${String(thrown)}`)
  }
}

function readLive(target: string): { [name: string]: Thing } {
  if (!existsSync(target)) throw new Fault('unreachable', `${target} does not answer`)
  const names = readdirSync(target).map((name) => basename(name, '.json'))
  return Object.fromEntries(names.map((name) => [name, readThing(target, name)]))
}

const fileOf = (target: string, name: string): string => join(target, `${name}.json`)
const readThing = (target: string, name: string): Thing =>
  JSON.parse(readFileSync(fileOf(target, name), 'utf8')) as Thing

/** What a thing is to be: as the source says, but for ignored attributes, which stay as they are. */
function wanted(thing: Thing, live: Thing | undefined, rules: Rule[], name: string): Thing {
  const kept = Object.entries(live ?? {}).filter(([attribute]) =>
    rules.some((rule) => rule.address === name && rule.attribute === attribute),
  )
  return { ...thing, ...Object.fromEntries(kept) }
}

function difference(things: Source['things'], live: Source['things'], rules: Rule[]): Change[] {
  const names = [...new Set([...Object.keys(things), ...Object.keys(live)])].toSorted()
  return names.flatMap((name) => {
    const [before, source] = [live[name], things[name]]
    const after = source && wanted(source, before, rules, name)
    const attributes = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
      .filter((path) => before?.[path] !== after?.[path])
      .map((path) => ({
        path,
        ...(before?.[path] !== undefined && { before: before[path] }),
        ...(after?.[path] !== undefined && { after: after[path] }),
        ...(path === 'secret' && { sensitive: true }),
      }))
    if (attributes.length === 0) return []
    const actions = [before === undefined ? 'create' : after === undefined ? 'delete' : 'update']
    return [{ address: name, resource: 'thing' as const, actions, attributes }]
  })
}

function put(target: string, name: string, thing: Thing | undefined): void {
  if (thing === undefined) return rmSync(fileOf(target, name))
  if (thing.fail !== undefined) throw new Fault('failed', `${name} was told to fail`)
  writeFileSync(fileOf(target, name), JSON.stringify(thing))
  chmodSync(fileOf(target, name), 0o600)
  if (thing.slow !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
}

const coverageOf = ({ things, blind = [] }: Source) => ({
  checked: Object.keys(things).length,
  unchecked: blind.map((address) => ({ address, why: 'it is in a box' })),
})

function shell(verb: string): number {
  const source = readSource()
  if (verb === 'validate') return 0
  const target = process.env.TARGET ?? ''
  if (verb === 'destroy') {
    for (const name of Object.keys(readLive(target))) put(target, name, undefined)
    return 0
  }
  const rules = JSON.parse(process.env.TRUEUP_IGNORE ?? '[]') as Rule[]
  if (verb === 'apply') {
    const live = readLive(target)
    for (const { address } of difference(source.things, live, rules)) {
      const thing = source.things[address]
      put(target, address, thing && wanted(thing, live[address], rules, address))
    }
    return 0
  }
  const coverage = coverageOf(source)
  if (!existsSync(target)) {
    const unchecked = Object.keys(source.things).map((address) => ({ address, why: `${target} does not answer` }))
    process.stdout.write(JSON.stringify({ changes: [], coverage: { checked: 0, unchecked } }))
    return 0
  }
  const changes = difference(source.things, readLive(target), rules)
  process.stdout.write(JSON.stringify({ changes, coverage }))
  return changes.length > 0 ? 2 : 0
}

const say = (type: string, members: object = {}): boolean =>
  process.stdout.write(`${JSON.stringify({ type, ...members })}\n`)

function protocol(): void {
  const request = JSON.parse(readFileSync(0, 'utf8')) as Request
  if (request.verb === 'versions') {
    say('version', { tool: 'keeper', version: '1.0.0' })
    return
  }
  const source = readSource()
  if (request.verb === 'validate') return
  const { target } = request.settings
  const live = readLive(target)
  const changes = difference(request.destroy ? {} : source.things, live, request.ignore)
  if (request.verb === 'plan') {
    for (const change of changes) say('change', change)
    say('coverage', coverageOf(source))
    return
  }
  for (const { address } of request.plan?.changes ?? []) {
    const thing = request.destroy ? undefined : source.things[address]
    try {
      put(target, address, thing && wanted(thing, live[address], request.ignore, address))
    } catch (thrown) {
      say('applied', { address, status: 'failed', message: (thrown as Error).message })
      throw thrown
    }
    say('applied', { address, status: 'done' })
  }
}

function main([verb = '']: string[]): void {
  if (verb === '--version') process.stdout.write('keeper 1.0.0\n')
  else if (verb === 'protocol') {
    try {
      protocol()
      say('done')
    } catch (thrown) {
      const fault = thrown instanceof Fault ? thrown.fault : 'failed'
      say('error', { fault, message: (thrown as Error).message })
    }
  } else {
    try {
      process.exitCode = shell(verb)
    } catch (thrown) {
      process.stderr.write(`${(thrown as Error).message}\n`)
      process.exitCode = 1
    }
  }
}

main(process.argv.slice(2))
