import type { ApprovalOutcome } from './approvals.ts'
import type { GateEnvironment, GateFacts, GateStack, Requirement } from './facts.ts'
import { describeState, isFinal } from '../runs/run.ts'

/** Everything that is asked of an MR, in the order in which people meet it. */
export function requirementsOf(
  facts: GateFacts,
  approvals: { readonly [environment: string]: ApprovalOutcome },
): Requirement[] {
  return [
    stateRequirement(facts),
    draftRequirement(facts),
    configRequirement(facts),
    targetRequirement(facts),
    conflictRequirement(facts),
    ...(facts.previewed ? [] : [previewRequirement()]),
    ...facts.environments.flatMap((environment) => {
      const stacks = facts.stacks.filter((stack) => stack.environment === environment.name)
      return [
        ...plansRequirements(environment.name, stacks),
        checksRequirement(environment.name, stacks),
        ...policiesRequirements(environment.name, stacks),
        ...quarantineRequirements(environment.name, stacks),
        approvalsRequirement(environment, approvals[environment.name]),
        windowRequirement(environment),
      ]
    }),
    ...strayStacks(facts),
    threadsRequirement(facts),
  ].filter((requirement) => requirement !== null)
}

const met = (name: Requirement['name'], message: string, environment?: string): Requirement => ({
  name,
  ...(environment !== undefined && { environment }),
  satisfied: true,
  blocking: true,
  message,
  next: null,
})

const unmet = (name: Requirement['name'], message: string, next: string, environment?: string): Requirement => ({
  ...met(name, message, environment),
  satisfied: false,
  next,
})

const warning = (...[name, message, next, environment]: Parameters<typeof unmet>): Requirement => ({
  ...unmet(name, message, next, environment),
  blocking: false,
})

function stateRequirement({ state }: GateFacts): Requirement | null {
  switch (state) {
    case 'open':
    case 'merging':
      return null
    case 'merged':
      return unmet('state', 'the merge request is merged', 'Open a new one for further changes.')
    case 'closed':
      return unmet('state', 'the merge request is closed', 'Reopen it.')
  }
}

function draftRequirement({ draft }: GateFacts): Requirement | null {
  return draft ? unmet('draft', 'the merge request is a draft', 'Mark it as ready.') : null
}

function configRequirement({ problems }: GateFacts): Requirement {
  const [first] = problems
  if (!first) return met('config', 'trueup.yaml is valid')
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return unmet('config', `${first.doing}: ${first.why}${more}`, first.next)
}

/** The rules stay in force: only whoever is judged by them has to know which these are. */
function targetRequirement({ unreadableTarget }: GateFacts): Requirement | null {
  if (!unreadableTarget) return null
  const { branch, problem, commitOid } = unreadableTarget
  const judged =
    commitOid === null
      ? 'no earlier one could be read either'
      : `this is judged by the rules of ${commitOid.slice(0, 10)}, the last that could be read`
  return warning(
    'config',
    `trueup.yaml of ${branch} is broken: ${judged}; ${problem.doing}: ${problem.why}`,
    `Merge a change that repairs it: until then nothing of ${branch} is deployed.`,
  )
}

function conflictRequirement({ conflicts }: GateFacts): Requirement {
  if (conflicts.length === 0) return met('conflicts', 'merges cleanly')
  return unmet(
    'conflicts',
    `conflicts with the target branch in ${listed(conflicts)}`,
    'Merge the target branch into yours, resolve the conflicts and push.',
  )
}

const previewRequirement = (): Requirement =>
  unmet('plans', 'it is not yet known which stacks are affected', 'Wait for the previews to start.')

/** A provisional preview may fail only because an input is not there yet, so it warns and does not block. */
function plansRequirements(environment: string, stacks: readonly GateStack[]): Requirement[] {
  const open = stacks.filter((stack) => stack.preview?.state !== 'succeeded' || stack.digest === null)
  const running = open.filter(({ preview }) => preview === null || !isFinal(preview.state) || isPassing(preview.state))
  const ended = open.filter((stack) => !running.includes(stack))
  const [failed, provisional] = [
    ended.filter((stack) => !stack.provisional),
    ended.filter((stack) => stack.provisional),
  ]
  const found: Requirement[] = []
  if (failed.length > 0) {
    const what = failed.map((stack) => `${stack.name} ${stateText(stack)}`)
    found.push(
      unmet(
        'plans',
        `no plan of ${listed(what)}`,
        'Read the log of the preview, then push a fix or plan again.',
        environment,
      ),
    )
  }
  if (running.length > 0) {
    const what = running.map(({ name }) => name)
    found.push(unmet('plans', `planning ${listed(what)}`, 'Wait for the previews to finish.', environment))
  }
  if (provisional.length > 0) {
    const what = provisional.map((stack) => `${stack.name} ${stateText(stack)}`)
    found.push(
      warning(
        'plans',
        `no preview of ${listed(what)}, which depends on stacks that change here`,
        'It is planned again, and waits for approval where needed, when they are deployed.',
        environment,
      ),
    )
  }
  const plans = stacks.length === 1 ? 'the plan is made' : `all ${stacks.length} plans are made`
  return found.length > 0 || stacks.length === 0 ? found : [met('plans', plans, environment)]
}

/** A superseded preview has a newer one on its way; a successful one without a digest is being recorded. */
const isPassing = (state: string): boolean => state === 'superseded' || state === 'succeeded'

function stateText({ preview }: GateStack): string {
  if (!preview) return '(not planned)'
  return preview.message ? `(${describeState(preview.state)}: ${preview.message})` : `(${describeState(preview.state)})`
}

function checksRequirement(environment: string, stacks: readonly GateStack[]): Requirement | null {
  const checks = stacks.flatMap((stack) => stack.checks.map((check) => ({ ...check, stack: stack.name })))
  if (checks.length === 0) return null
  const failed = checks.filter(({ ok }) => !ok).map(({ name, stack }) => `${name} of ${stack}`)
  if (failed.length === 0) return met('checks', 'all checks passed', environment)
  return unmet(
    'checks',
    `${listed(failed)} did not pass`,
    'Read its output below, fix the cause and push.',
    environment,
  )
}

function policiesRequirements(environment: string, stacks: readonly GateStack[]): Requirement[] {
  const results = stacks.flatMap((stack) => stack.policies.map((result) => ({ ...result, stack: stack.name })))
  const blocking = results.filter(({ outcome }) => outcome === 'deny' || outcome === 'error')
  const warnings = results.filter(({ outcome }) => outcome === 'warn')
  const text = (list: typeof results) =>
    listed(list.map(({ name, stack, message }) => `${name} (${stack}): ${message}`))
  const found: Requirement[] = []
  if (blocking.length > 0) {
    const next = 'Change the merge request so that the policy passes, or change the policy on the target branch first.'
    found.push(unmet('policies', text(blocking), next, environment))
  } else if (results.length > 0) {
    found.push(met('policies', 'no policy denies this', environment))
  }
  if (warnings.length > 0) found.push(warning('policies', text(warnings), 'Consider the warning.', environment))
  return found
}

function quarantineRequirements(environment: string, stacks: readonly GateStack[]): Requirement[] {
  const back = stacks.filter((stack) => stack.quarantined !== undefined)
  if (back.length === 0) return []
  const what = back.map(({ name, quarantined }) => `${name} (${quarantined})`)
  const next = 'Change the merge request, or lift the quarantine when that state is good again.'
  return [unmet('quarantine', `brings back what was rolled back: ${listed(what)}`, next, environment)]
}

function approvalsRequirement({ name, gateChange }: GateEnvironment, outcome?: ApprovalOutcome): Requirement | null {
  if (!outcome) return unmet('approvals', 'approvals could not be judged', 'Reload the merge request.', name)
  const rules = gateChange ? `; this changes the rules of ${name}: ${listed(gateChange.what)}` : ''
  if (!outcome.satisfied) {
    const refused = outcome.refused.map(({ userName, why }) => `${userName} ${why}`)
    const uncounted = refused.length > 0 ? ` (not counted: ${listed(refused)})` : ''
    return unmet(
      'approvals',
      `${outcome.missing.join('; ')}${uncounted}${rules}`,
      'Ask for the missing approval.',
      name,
    )
  }
  if (outcome.required === 0 && outcome.counted.length === 0) return met('approvals', `needs no approval${rules}`, name)
  const by = listed(outcome.counted.map(({ userName }) => userName))
  return met('approvals', `approved by ${by || 'its code owners'}${rules}`, name)
}

/** Merging is allowed all the time; what is merged in a closed window is deployed when it opens. */
function windowRequirement({ name, window }: GateEnvironment): Requirement | null {
  if (window.open) return null
  const until = window.nextChangeAt === null ? null : new Date(window.nextChangeAt).toISOString().slice(0, 16)
  const next = until
    ? `Merging is possible; it is deployed after ${until.replace('T', ' ')} UTC.`
    : 'Merging is possible; it is deployed when the freeze is lifted.'
  return warning('window', `deployments are held back: ${window.reason ?? 'the window is closed'}`, next, name)
}

/** A stack of an environment that nobody judged would merge unseen: say so instead. */
function strayStacks({ stacks, environments }: GateFacts): Requirement[] {
  const judged = new Set(environments.map(({ name }) => name))
  const stray = stacks.filter((stack) => !judged.has(stack.environment))
  if (stray.length === 0) return []
  const keys = listed(stray.map(({ key }) => key))
  return [
    unmet('approvals', `there are no rules for ${keys}`, 'Add the environment to trueup.yaml of the target branch.'),
  ]
}

function threadsRequirement({ unresolvedThreads, threadsBlock }: GateFacts): Requirement {
  if (unresolvedThreads === 0) return met('threads', 'no open threads')
  const message = `${unresolvedThreads} unresolved ${unresolvedThreads === 1 ? 'thread' : 'threads'}`
  const requirement = unmet('threads', message, 'Answer and resolve the conversation.')
  return threadsBlock ? requirement : { ...requirement, blocking: false }
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(', ')
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown
}
