import type { Notice } from '../server/schemas/environments.ts'
import { when } from './times.ts'

/** A notice in a line: what kind, what it says, who says so, until when. */
export const noticeLine = ({ kind, text, by, until }: Notice): string =>
  `${kind}: ${text} (${by}${until === null ? '' : `, until ${when(until)}`})`
