import type { GateStack, Requirement } from '../facts.ts'
import { describeState, isFinal } from '../../runs/run.ts'
import { type EnvironmentKind, listed, met, unmet, warning } from './kind.ts'

/** A provisional preview may fail only because an input is not there yet, so it warns and does not block. */
export const plans: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
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
  const made = stacks.length === 1 ? 'the plan is made' : `all ${stacks.length} plans are made`
  return found.length > 0 || stacks.length === 0 ? found : [met('plans', made, environment)]
}

/** A superseded preview has a newer one on its way; a successful one without a digest is being recorded. */
const isPassing = (state: string): boolean => state === 'superseded' || state === 'succeeded'

function stateText({ preview }: GateStack): string {
  if (!preview) return '(not planned)'
  return preview.message ? `(${describeState(preview.state)}: ${preview.message})` : `(${describeState(preview.state)})`
}
