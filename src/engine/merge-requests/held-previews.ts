import type { NoOutputs } from '../stacks/inputs.ts'
import { listed } from '../../domain/gates/requirements/kind.ts'
import type { PreviewRef } from './previews.ts'

/**
 * Plans of one merge request that are under way at the same time; the others follow when these end. It bounds what one
 * push puts into the queue, and what is to be taken back when the merge request is closed.
 */
export const PREVIEWS_AT_A_TIME = 500

/** How many more plans may be ordered now. */
export interface Room {
  left: number
}

/** What is known of a stack whose plan could be made, and is not yet. */
interface HeldPreview {
  ref: PreviewRef
  outputs: NoOutputs
}

export const waitsForApproval = (how: PreviewRef['how'], pool: string): HeldPreview =>
  held(how, 'pool', `it asks for the workers "${pool}", which the target branch does not give it`)

export const waitsForTurn = (how: PreviewRef['how']): HeldPreview =>
  held(how, 'turn', `waits for its turn: at most ${PREVIEWS_AT_A_TIME} plans of a merge request are made at a time`)

export const waitsForVoucher = (how: PreviewRef['how'], brings: readonly string[]): HeldPreview =>
  held(how, 'executable', `brings what is executed: ${listed(brings)}`)

const held = (how: PreviewRef['how'], why: PreviewRef['held'] & string, note: string): HeldPreview => ({
  ref: { how, runId: null, provisional: false, note, settled: false, held: why },
  outputs: 'pending',
})
