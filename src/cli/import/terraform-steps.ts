import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import { terragrunt } from '../init/other-tools.ts'
import type { WorkingTree } from '../local/working-tree.ts'
import { fields, list, text } from '../init/manifests.ts'
import type { Project } from './imported.ts'

/** A step of a workflow, whatever tool wrote it down. */
export interface Step {
  kind: 'init' | 'plan' | 'apply' | 'run' | 'env' | 'other'
  /** Arguments beside those that the tool gives itself; of `env` a name and a value. */
  args: string[]
  /** The command of `run`, the name of `other`. */
  text: string
}

/** What steps come to for a stack, and what of them has no equal, in words. */
export interface Settled {
  project: Project
  noEqual: string[]
}

/** Steps as Atlantis and Digger write them: `init`, `{ plan: { extra_args: […] } }`, `{ run: … }`, `{ env: … }`. */
export function stepsOf(given: unknown): Step[] {
  return list(given).map((one): Step => {
    if (typeof one === 'string') return step(one, {})
    const [name = '', value] = Object.entries(fields(one))[0] ?? []
    // `- init:` with `extra_args:` at the same depth is read by Digger, too.
    return step(name, value === null ? one : value)
  })
}

function step(name: string, value: unknown): Step {
  const args = list(fields(value)['extra_args']).map(String)
  if (name === 'init' || name === 'plan' || name === 'apply') return { kind: name, args, text: name }
  if (name === 'run') return { kind: 'run', args: [], text: commandOf(value) }
  const { name: variable, value: content } = fields(value)
  if (name === 'env' && text(variable) !== undefined)
    return { kind: 'env', args: [String(variable), text(content) ?? ''], text: name }
  return { kind: 'other', args: [], text: name }
}

const commandOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(' ') : (text(value) ?? text(fields(value)['command']) ?? '')

/** Steps that say nothing of what is deployed. */
const PLAIN = new Set(['show', 'policy_check', 'import', 'state_rm'])

/** The project as these steps would run it. */
export function settled(
  project: Project,
  steps: readonly Step[],
  around: { tree: WorkingTree; known: { [variable: string]: string } },
): Settled {
  const { tree, known } = around
  const isUnit = tree.files.includes(posix.join(project.path, 'terragrunt.hcl'))
  const noEqual: string[] = []
  const settings: { [key: string]: Json } = { ...project.with }
  let result = project
  for (const { kind, args, text: said } of steps) {
    if (kind === 'run' && (isUnit ? /\bterragrunt\b/ : /^\s*(\S+=\S+\s+)*terragrunt\b/).test(said)) {
      // Its own exit codes say what Trueup asks; the workflow of the other tool only worked around that.
      if (result.driver !== 'command')
        result = { ...result, driver: 'command', with: terragrunt(project.path).with ?? {} }
    } else if (kind === 'run' && /^\s*(terraform|tofu)\d*\s+(init|plan|apply|show|workspace)\b/.test(said)) {
      taken(said.trim().split(/\s+/).slice(2), settings, known, noEqual)
    } else if (kind === 'run') {
      noEqual.push(
        `the step \`${short(said)}\`: put it into \`checks:\` where it judges the plan, into \`verify:\` where it looks afterwards`,
      )
    } else if (kind === 'env') {
      noEqual.push(
        `the variable ${args[0]} of its steps: put it into \`variables:\`, or keep it by \`trueup variable set\``,
      )
    } else if (kind === 'other' && !PLAIN.has(said)) noEqual.push(`the step \`${short(said)}\`${INSTEAD[said] ?? ''}`)
    else taken(args, settings, known, noEqual)
  }
  if (result.driver === 'command') return { project: result, noEqual }
  return { project: { ...result, with: settings }, noEqual }
}

/** What stands for steps of others. */
const INSTEAD: { [step: string]: string } = {
  oidc: ': keep credentials for plans and for applies by `trueup variable set --phase`',
  conftest: ': put it into `checks:`, or write a policy',
  checkov: ': put it into `checks:`',
  multienv: ': put what it gives into `variables:`',
}

function short(command: string): string {
  const [line = '', ...more] = command.trim().split('\n')
  return line.length > 80 ? `${line.slice(0, 79)}…` : more.length > 0 ? `${line} …` : line
}

/** Arguments of terraform that have a setting; `--flag value` and `-flag=value` alike. */
function taken(
  args: readonly string[],
  settings: { [key: string]: Json },
  known: { [variable: string]: string },
  noEqual: string[],
): void {
  const add = (key: string, value: string): void => {
    settings[key] = [...new Set([...list(settings[key]).map(String), value])]
  }
  for (let at = 0; at < args.length; at++) {
    const word = filled(unquoted(args[at]!), known)
    // Without a dash only with a value: Digger's own example has it so, and a shell line has other words.
    const [, flag, joined] = /^(?:--?|(?=[a-z-]+=))([a-z][a-z-]*)(?:=(.*))?$/s.exec(word) ?? []
    if (flag === undefined) continue
    const isValued = VALUED.has(flag)
    const value = unquoted(joined ?? (isValued ? filled(args[++at] ?? '', known) : ''))
    const open = /\$\{?\w+/.exec(value)?.[0]
    if (open !== undefined) noEqual.push(`the argument \`${word}\`: ${open} is not known here`)
    else if (flag === 'var-file') add('varFiles', value)
    else if (flag === 'var' && value.includes('=')) {
      const cut = value.indexOf('=')
      settings['variables'] = {
        ...(fields(settings['variables']) as { [name: string]: Json }),
        [value.slice(0, cut)]: value.slice(cut + 1),
      }
    } else if (flag === 'backend-config' && value.includes('=')) {
      const cut = value.indexOf('=')
      settings['backendConfig'] = {
        ...(fields(settings['backendConfig']) as { [name: string]: Json }),
        [value.slice(0, cut)]: value.slice(cut + 1),
      }
    } else if (flag === 'backend-config') add('backendConfigFiles', value)
    else if (flag === 'parallelism' && /^\d+$/.test(value)) settings['parallelism'] = Number(value)
    else if (flag === 'lock-timeout' && /^\d+(s|m|h)$/.test(value)) settings['lockTimeout'] = value
    else if (flag === 'refresh') settings['refresh'] = value !== 'false'
    else if (!OWN.has(flag)) noEqual.push(`the argument \`${word}\``)
  }
}

const VALUED = new Set(['var-file', 'var', 'backend-config', 'parallelism', 'lock-timeout', 'out'])
/** What Trueup gives or does itself, and what says how the tool talks. */
const OWN = new Set([
  'out',
  'input',
  'no-color',
  'upgrade',
  'reconfigure',
  'lock',
  'compact-warnings',
  'auto-approve',
  'detailed-exitcode',
  'json',
  'migrate-state',
  'force-copy',
])

const unquoted = (word: string): string => word.replace(/^(['"])(.*)\1$/s, '$2')
const filled = (word: string, known: { [variable: string]: string }): string =>
  word.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => known[name] ?? whole)

/** Patterns beside a project's directory, from the root. Its own files and modules are found without them. */
export const watched = (path: string, patterns: readonly string[]): string[] =>
  patterns
    .filter((pattern) => !pattern.startsWith('!'))
    .map((pattern) => posix.join(path, pattern))
    .filter((glob) => path !== '.' && glob !== path && !glob.startsWith(`${path}/`) && !glob.startsWith('..'))
