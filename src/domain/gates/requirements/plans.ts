import type { GateStack, Requirement } from '../facts.ts'
import { describeState, isFinal } from '../../runs/run.ts'
import { type EnvironmentKind, listed, met, unmet, warning } from './kind.ts'

/** A provisional preview may fail only because what it needs is not there yet, so it warns and does not block. */
export const plans: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
  const open = stacks.filter((stack) => stack.preview?.state !== 'succeeded' || stack.digest === null)
  const running = open.filter(({ preview }) => preview === null || !isFinal(preview.state) || isPassing(preview.state))
  const ended = open.filter((stack) => !running.includes(stack) && !stack.untrusted)
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
  const busy = running.filter(({ held }) => !held)
  if (busy.length > 0) {
    const what = busy.map(({ name }) => name)
    found.push(unmet('plans', `planning ${listed(what)}`, 'Wait for the previews to finish.', environment))
  }
  const turn = running.filter(({ held }) => held === 'turn')
  if (turn.length > 0) found.push(inTurns(environment, stacks.length, turn.length))
  const pool = running.filter(({ held }) => held === 'pool')
  if (pool.length > 0) found.push(onForeignPool(environment, pool))
  const executing = running.filter(({ held }) => held === 'executable')
  if (executing.length > 0) found.push(executed(environment, executing))
  const untrusted = stacks.filter((stack) => stack.untrusted && !running.includes(stack))
  if (untrusted.length > 0) found.push(forNobody(environment, untrusted))
  if (provisional.length > 0) {
    const what = provisional.map((stack) => `${stack.name} ${stateText(stack)}`)
    found.push(
      warning(
        'plans',
        `no plan of ${listed(what)}, which depends on stacks that change here`,
        'Approvals count for the plans there are; this one is made, and waits for an approval of its own where one is needed, when they are deployed.',
        environment,
      ),
    )
  }
  const early = stacks.filter(({ awaits = [] }) => awaits.length > 0)
  if (early.length > 0) found.push(notWhollyChecked(environment, early))
  const made = stacks.length === 1 ? 'the plan is made' : `all ${stacks.length} plans are made`
  return found.length > 0 || stacks.length === 0 ? found : [met('plans', made, environment)]
}

/** No plan is left out, however many there are: what is not planned yet cannot be merged. */
function inTurns(environment: string, all: number, waiting: number): Requirement {
  const what = `${all} ${all === 1 ? 'stack is' : 'stacks are'} affected, and ${waiting} of their plans ${waiting === 1 ? 'waits' : 'wait'} for a turn`
  return unmet('plans', what, 'Wait for the previews to finish, or make smaller merge requests.', environment)
}

function onForeignPool(environment: string, stacks: readonly GateStack[]): Requirement {
  const what = `no plan of ${listed(stacks.map(({ name }) => name))}: the target branch does not give it the workers that it asks for`
  const next =
    'It is planned there once somebody who has no part in it approves this merge request; approve again when you have seen the plan.'
  return unmet('plans', what, next, environment)
}

/** Nothing of it has run, and nothing runs before that. */
function executed(environment: string, stacks: readonly GateStack[]): Requirement {
  const what = `no plan of ${listed(stacks.map(({ name, brings }) => `${name}, which ${brings}`))}`
  const next =
    'Somebody of `executable.from` (trueup.yaml of the target branch) who has no part in it approves this merge request; then it is planned. Approve again when you have seen the plan.'
  return unmet('plans', what, next, environment)
}

/** Such a plan shows what the code says, not what it does here. */
function forNobody(environment: string, stacks: readonly GateStack[]): Requirement {
  const what = `${listed(stacks.map(({ name }) => name))} planned without variables and state: nobody vouches for the change yet`
  const next =
    'It is planned properly once somebody who has no part in it approves this merge request; approve again when you have seen the plan.'
  return unmet('plans', what, next, environment)
}

/** Once for each stack, not for each thing in it that could not be looked at. */
function notWhollyChecked(environment: string, stacks: readonly GateStack[]): Requirement {
  const what = stacks.map(({ name, awaits = [] }) => {
    return `${name} is not wholly checked until ${listed(awaits)} ${awaits.length === 1 ? 'is' : 'are'} deployed`
  })
  const next = 'What it finds then and does not show here waits for an approval of its own where one is needed.'
  return warning('plans', listed(what), next, environment)
}

/** A superseded preview has a newer one on its way; a successful one without a digest is being recorded. */
const isPassing = (state: string): boolean => state === 'superseded' || state === 'succeeded'

function stateText({ preview }: GateStack): string {
  if (!preview) return '(not planned)'
  return preview.message ? `(${describeState(preview.state)}: ${preview.message})` : `(${describeState(preview.state)})`
}
