import { z } from 'zod'
import { CHANGE_OUTPUTS } from './changes.ts'
import { CI_OUTPUTS } from './ci.ts'
import {
  AgentStatus,
  BackedUp,
  Checkup,
  Demonstration,
  Explained,
  Initialised,
  LocalPlans,
  Restored,
  ServerStarted,
  TakenOver,
  Validation,
} from './local.ts'
import { SERVER_OUTPUTS } from './server.ts'

/**
 * What each command prints under `--output json`, by its name without `trueup`. A member that is not named here is never
 * printed; members are added, and none is renamed or removed within a major version.
 */
export const OUTPUTS: { readonly [command: string]: z.ZodType } = {
  up: ServerStarted,
  demo: Demonstration,
  init: Initialised,
  import: TakenOver,
  validate: Validation,
  plan: LocalPlans,
  doctor: Checkup,
  explain: Explained,
  agent: z.object({ ok: z.boolean(), server: z.string().nullable(), repositories: z.array(z.string()) }),
  'agent status': AgentStatus,
  backup: BackedUp,
  restore: Restored,
  ...CI_OUTPUTS,
  ...CHANGE_OUTPUTS,
  ...SERVER_OUTPUTS,
}

/** Commands that print no JSON, and what stands on stdout instead. */
export const OTHER_OUTPUTS: { readonly [command: string]: string } = {
  runner: 'nothing; the log goes to stderr',
  'audit export': 'an audit event as JSON on each line, or nothing with `--file`',
  'git-credential': 'what git reads of a credential helper',
  completion: 'a script for the shell',
  'completion-values': 'a value on each line',
}

/** A part of a JSON Schema, as far as it is looked into. */
type Part = { [key: string]: unknown }

/**
 * JSON Schema 2020-12: `$defs` has an entry for each command (`trueup mr list`), and those of the objects that they share.
 * No member that it does not name is allowed, so that it tells everything that is printed.
 */
export function outputsSchema(): { $defs: { [name: string]: Part } } {
  return (schema ??= make())
}

let schema: ReturnType<typeof outputsSchema> | undefined

function make(): ReturnType<typeof outputsSchema> {
  const made = z.toJSONSchema(z.object(OUTPUTS), { io: 'output', unrepresentable: 'any' })
  const commands = Object.entries(made.properties ?? {}).map(([name, schema]) => [`trueup ${name}`, schema])
  const $defs = oneJson({ ...Object.fromEntries(commands), ...made.$defs })
  return {
    $schema: made.$schema,
    $id: 'urn:trueup:schema:cli-output:1',
    title: 'What trueup prints under --output json',
    description:
      'Each command has an entry of its name in $defs. Members are added; none is renamed or removed within a major version.',
    $defs,
  } as ReturnType<typeof make>
}

/** Every place that holds any JSON value has a definition of its own: they are one. */
function oneJson($defs: { [name: string]: unknown }): unknown {
  const nameless = /__schema\d+/g
  const [first, ...others] = Object.keys($defs).filter((name) => name.startsWith('__'))
  const shape = (name: string | undefined): string =>
    JSON.stringify($defs[name ?? ''] ?? null).replaceAll(nameless, 'Json')
  if (others.some((name) => shape(name) !== shape(first))) throw new Error('an output has a nameless recursive part')
  const kept = Object.fromEntries(Object.entries($defs).filter(([name]) => !others.includes(name)))
  return JSON.parse(JSON.stringify(kept).replaceAll(nameless, 'Json'))
}
