import { join } from 'node:path'
import type { Phase } from '../../domain/stacks/stack.ts'
import type { Driver } from '../../drivers/driver.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Grant } from '../protocol.ts'
import { isBelow } from '../sandbox/view.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Execution } from './execution.ts'

const isUntrusted = ({ sandbox }: Grant): boolean => sandbox?.untrusted ?? false

/** Whether the tools of a phase run inside. Nobody falls back to less: what must be inside and cannot be fails. */
function isInside(grant: Grant, phase: Phase, mode: 'auto' | 'require' | 'off'): boolean {
  const { sandbox } = grant
  if (phase === 'apply') return sandbox?.asked === 'all'
  return isUntrusted(grant) || sandbox?.asked !== undefined || mode === 'require'
}

/**
 * Opens the sandbox for one phase of a run, where it is to have one; closed with the run.
 * @throws SANDBOX_UNAVAILABLE where it must have one and cannot; SANDBOX_UNFIT where the driver would look at the target itself
 */
export async function openSandbox(execution: Execution, driver: Driver, phase: Phase): Promise<Sandbox | undefined> {
  const { grant, parts, workspace, log } = execution
  const { sandboxes } = parts
  if (!isInside(grant, phase, sandboxes.settings.mode)) return undefined
  if (isUntrusted(grant) && !driver.contained) throw unfit(driver)
  if (sandboxes.settings.mode === 'off') throw switchedOff()
  const { stateBackend } = grant
  const sandbox = await sandboxes.open({
    untrusted: isUntrusted(grant),
    network: grant.sandbox?.network ?? [],
    ...(stateBackend && driver.keepsState && { service: stateBackend.address }),
    workspace,
    cache: cacheOf(grant, parts.cacheRoot),
    log: log.line,
    refused: (target) =>
      execution.egressRefused.size < MOST_REFUSED && execution.egressRefused.add(target.slice(0, 300)),
  })
  execution.sandboxes.push(sandbox)
  return sandbox
}

/** Of one report; the run's log has them as they come. */
const MOST_REFUSED = 100

/** What an unvetted change leaves in a cache is never found by a run with more rights. */
export const cacheRootOf = (grant: Grant, root: string): string => (isUntrusted(grant) ? join(root, 'untrusted') : root)

export const cacheOf = (grant: Grant, root: string): string =>
  join(cacheRootOf(grant, root), grant.stack.id.replaceAll(/[^\w.-]/g, '_'))

/** Of what the operator passes on, an unvetted change gets only names of paths that it is shown (a mirror's, say). */
export function passedTo(grant: Grant, { passEnv, sandboxes }: Execution['parts']): readonly string[] {
  if (!isUntrusted(grant)) return passEnv
  const { read } = sandboxes.settings
  return passEnv.filter((name) => read.some((root) => isBelow(process.env[name] ?? '', root)))
}

const unfit = ({ name }: Driver): TrueupError =>
  new TrueupError('SANDBOX_UNFIT', {
    doing: 'planning code that nobody vouches for yet',
    why: `driver "${name}" looks at the target itself, with the identity of the worker, and not from inside a sandbox`,
  })

const switchedOff = (): TrueupError =>
  new TrueupError('SANDBOX_UNAVAILABLE', {
    doing: 'making a sandbox',
    why: 'this worker has none (--sandbox off)',
    next: 'Start the worker with --sandbox auto, or approve the head of the merge request.',
  })
