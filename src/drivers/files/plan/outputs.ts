import type { Output } from '../../../domain/plans/plan.ts'
import type { Survey } from './survey-state.ts'

/** `target`: the directory. `files`: how many files and links Git has for it. */
export function outputsOf({ target, wanted }: Survey, destroy: boolean): { [name: string]: Output } {
  if (destroy) return {}
  let files = 0
  for (const entry of wanted.entries.values()) if (entry.kind !== 'directory') files++
  return { target: { value: target.path, sensitive: false }, files: { value: files, sensitive: false } }
}
