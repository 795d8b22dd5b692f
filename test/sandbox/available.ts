import { describe } from 'vitest'
import { findBubblewrap } from '../../src/worker/sandbox/bubblewrap.ts'

/**
 * `describe` for what runs in real sandboxes. Without bubblewrap the suite is skipped and its name says so, or fails where
 * TRUEUP_TEST_FORBID_SKIPS lists `bwrap`: that can be installed. A kernel that gives no namespaces is nobody's to install, so there
 * it is skipped by that name always.
 */
export function describeWithSandbox(title: string, suite: () => void): void {
  const found = findBubblewrap(process.env.PATH ?? '')
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes('bwrap')
  const isMissing = found.why?.includes('not installed') ?? false
  if (found.why === undefined || (isMissing && forbidden)) describe(`${title} (bwrap)`, suite)
  else describe.skip(`${title} (skipped: ${found.why})`, suite)
}
