import type { PolicyConfig } from '../config/schema.ts'

const LOOKS_AT_MR = /\bmr\s*\??\.\s*[A-Za-z_]/
/** Conditions that ask first, in one of the usual ways. */
const ASKS_FIRST = /\bmr\s*[!=]=\s*null|null\s*[!=]=\s*mr\b|\brun\s*\.\s*kind\b/

/**
 * Policies that look at the merge request without asking whether there is one: they cannot be evaluated for a heal, nor for
 * what a person orders beside Git, and what cannot be evaluated blocks.
 */
export function policiesNeedingMr(policies: readonly PolicyConfig[]): number[] {
  return policies.flatMap(({ when }, index) => {
    const code = when.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
    return LOOKS_AT_MR.test(code) && !ASKS_FIRST.test(code) ? [index] : []
  })
}
