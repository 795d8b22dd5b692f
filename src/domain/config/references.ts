import semver from 'semver'
import { asTrueupError } from '../../lib/errors/error.ts'
import { formatDuration, LONGEST_DURATION_MS, parseDuration } from '../duration.ts'
import { globProblem } from '../glob.ts'
import { didYouMean } from '../suggest.ts'
import type { WindowConfig } from '../windows/config.ts'
import { parseWindow } from '../windows/windows.ts'
import { zoneOf } from '../windows/zone-time.ts'
import type { LineOf } from './document.ts'
import { type Problem, pathText } from './problems.ts'
import type { CommandConfig, DriftConfig, EnvironmentConfig, StackConfig, TrueupConfig } from './schema.ts'

type Path = readonly PropertyKey[]
/** Notes a problem at a path. */
type Report = (path: Path, message: string) => void

/** What a schema cannot say: names that must exist, texts with a grammar of their own, rules that no one can meet. */
export function referenceProblems(config: TrueupConfig, lineOf: LineOf): Problem[] {
  const problems: Problem[] = []
  const report: Report = (path, message) => problems.push({ line: lineOf(path), path: pathText(path), message })

  const environments = new Set(Object.keys(config.environments))
  for (const [name, environment] of Object.entries(config.environments))
    checkEnvironment(environment, ['environments', name], report)
  if (environments.size === 0 && config.stacks.length > 0)
    report(['environments'], 'there is none, but there are stacks')
  config.stacks.forEach((stack, i) => {
    checkStack(stack, environments, ['stacks', i], report)
  })

  const policies = new Map<string, number>()
  config.policies?.forEach(({ name }, i) => {
    const first = policies.get(name)
    if (first === undefined) policies.set(name, i)
    else report(['policies', i, 'name'], `${JSON.stringify(name)} is already the name of policies[${first}]`)
  })
  return problems
}

function checkEnvironment(environment: EnvironmentConfig, path: Path, report: Report): void {
  environment.windows?.forEach((window, i) => {
    checkWindow(window, [...path, 'windows', i], report)
  })
  if (environment.drift) checkDrift(environment.drift, [...path, 'drift'], report)
  const { from = [], required = 0 } = environment.approvals ?? {}
  const people = new Set(from)
  if (from.length > 0 && required > people.size && from.every((one) => one.startsWith('user:')))
    report([...path, 'approvals', 'required'], `${required} are required, but only ${people.size} may approve`)
}

function checkWindow(window: WindowConfig, path: Path, report: Report): void {
  const { allow, deny, timezone } = window
  if ((allow === undefined) === (deny === undefined)) report(path, 'must have either `allow` or `deny`')
  for (const [key, text] of Object.entries({ allow, deny }))
    if (text !== undefined) attempt([...path, key], () => parseWindow(text), report)
  if (timezone !== undefined) attempt([...path, 'timezone'], () => zoneOf(timezone), report)
}

function checkStack(stack: StackConfig, environments: ReadonlySet<string>, path: Path, report: Report): void {
  stack.environments?.forEach((name, i) => {
    if (!environments.has(name))
      report([...path, 'environments', i], `there is no environment "${name}"${didYouMean(name, environments)}`)
    else if (stack.environments?.indexOf(name) !== i) report([...path, 'environments', i], `"${name}" stands twice`)
  })
  if (stack.drift) checkDrift(stack.drift, [...path, 'drift'], report)
  if (stack.timeout !== undefined) checkDuration(stack.timeout, [...path, 'timeout'], report, LONGEST_TIMEOUT_MS)
  if (stack.toolVersion !== undefined && semver.validRange(stack.toolVersion) === null)
    report(
      [...path, 'toolVersion'],
      `${JSON.stringify(stack.toolVersion.slice(0, 80))} is not a version range such as ">=1.6 <2"`,
    )
  for (const key of ['checks', 'verify'] as const)
    stack[key]?.forEach((command, i) => {
      checkCommand(command, [...path, key, i], report)
    })
  for (const key of ['ignore', 'unstable'] as const)
    stack[key]?.forEach((rule, i) => {
      for (const side of ['address', 'attribute'] as const) checkGlob(rule[side], [...path, key, i, side], report)
    })
  stack.watch?.forEach((glob, i) => {
    checkGlob(glob, [...path, 'watch', i], report)
    if (glob.startsWith('/') || glob.includes('\\') || glob.split('/').includes('..'))
      report(
        [...path, 'watch', i],
        `${JSON.stringify(glob)} must be a path from the root of the repository, without ".."`,
      )
  })
}

function checkCommand(command: CommandConfig, path: Path, report: Report): void {
  if (typeof command !== 'string' && command.timeout !== undefined)
    checkDuration(command.timeout, [...path, 'timeout'], report, LONGEST_TIMEOUT_MS)
}

function checkDrift({ interval }: DriftConfig, path: Path, report: Report): void {
  if (interval !== undefined) checkDuration(interval, [...path, 'interval'], report)
}

/** Longer ones do not fit a timer (24.8 days); a run that takes a week is none that somebody waits for. */
const LONGEST_TIMEOUT_MS = parseDuration('7d')

/** A second at least: less is a busy loop, or a time-out that nothing can meet. */
function checkDuration(text: string, path: Path, report: Report, longestMs = LONGEST_DURATION_MS): void {
  attempt(
    path,
    () => {
      const ms = parseDuration(text)
      if (ms < 1000) report(path, `"${text}" is too short: the least is 1s`)
      if (ms > longestMs) report(path, `"${text}" is too long: the most is ${formatDuration(longestMs)}`)
    },
    report,
  )
}

function checkGlob(glob: string, path: Path, report: Report): void {
  const why = globProblem(glob)
  if (why !== null) report(path, why)
}

function attempt(path: Path, read: () => unknown, report: Report): void {
  try {
    read()
  } catch (thrown) {
    report(path, asTrueupError(thrown, 'reading the configuration').message)
  }
}
