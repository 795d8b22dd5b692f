import type { CommitStatus } from '../../forges/forge.ts'
import { describeState } from '../../domain/runs/run.ts'
import { cut, oneLine } from '../../domain/render/safe-text.ts'
import type { Judgement } from './gate.ts'

/** Forges cut longer ones. */
const LONGEST = 140

/** What the head of a merge request shows on its forge: a status for each environment's plans, and one for the gate. */
export function statusesOf({ outcome, stacks }: Judgement, planning: boolean): CommitStatus[] {
  const environments = Map.groupBy(stacks, ({ environment }) => environment)
  const plans = [...environments].map(([environment, its]): CommitStatus => {
    const name = `trueup/${environment}`
    const failed = its.filter(({ run }) => run && run.finishedAt !== null && run.state !== 'succeeded')
    const open = its.filter(({ run, preview }) => !preview.settled || (run && run.finishedAt === null))
    const [first] = failed
    if (first?.run)
      return { name, state: 'failure', description: short(`${first.name}: ${describeState(first.run.state)}`) }
    if (open.length > 0) return { name, state: 'pending', description: `${open.length} of ${its.length} being planned` }
    return {
      name,
      state: 'success',
      description: its.length === 1 ? '1 stack planned' : `${its.length} stacks planned`,
    }
  })
  return [...plans, gateOf(outcome, planning)]
}

function gateOf({ mergeable, requirements }: Judgement['outcome'], planning: boolean): CommitStatus {
  const name = 'trueup/gate'
  if (mergeable && !planning) return { name, state: 'success', description: 'ready to merge' }
  const unmet = requirements.filter(({ blocking, satisfied }) => blocking && !satisfied)
  const words = unmet.map(({ environment, message }) => (environment ? `${environment}: ${message}` : message))
  // Never a failure: what is missing may still come.
  const description = short(words.join('; ') || 'plans are being made')
  return { name, state: 'pending', description, ...(!planning && { waitsFor: 'people' }) }
}

const short = (text: string): string => cut(oneLine(text), LONGEST)
