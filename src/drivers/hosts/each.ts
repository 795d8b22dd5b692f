import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { HostSettings } from './config.ts'
import type { Host } from './host.ts'
import { openLocal } from './local.ts'
import { openRemote } from './remote.ts'
import { resolveHosts } from './resolve.ts'
import { findSsh, sshCommand } from './ssh-command.ts'
import { HOST_ERRORS } from './ssh-error.ts'
import { sshFiles } from './ssh-files.ts'

/** What came of one host. `error` is one that concerns this host only. */
export type HostOutcome<T> = { name: string } & ({ value: T; error?: never } | { value?: never; error: TrueupError })

/**
 * Does the work on every host of the stack, `parallel` at once, over a connection of its own. A host that cannot be reached
 * does not hide the others: its error is its outcome. Any other error ends all, after the hosts under way are closed.
 * @throws the first host's error where there is no host on which it worked
 */
export async function onEachHost<T>(
  context: DriverContext<HostSettings>,
  work: (host: Host) => Promise<T>,
): Promise<HostOutcome<T>[]> {
  const targets = resolveHosts(context)
  if (targets === null) return [{ name: '', value: await closing(await openLocal(context), work) }]
  const ssh = await findSsh(context)
  const files = await sshFiles(context)
  try {
    const outcomes = await bounded(context.config.parallel, targets, async (target, index): Promise<HostOutcome<T>> => {
      try {
        const command = sshCommand(ssh.path, context.config, files, target, index)
        return { name: target.name, value: await closing(await openRemote(context, files, command), work) }
      } catch (thrown) {
        if (thrown instanceof TrueupError && HOST_ERRORS.has(thrown.code)) return { name: target.name, error: thrown }
        throw thrown
      }
    })
    if (outcomes.every(({ error }) => error !== undefined)) throw worst(outcomes)
    return outcomes
  } finally {
    await files.remove()
  }
}

async function closing<T>(host: Host, work: (host: Host) => Promise<T>): Promise<T> {
  try {
    return await work(host)
  } finally {
    await host.close()
  }
}

/** A host that is down says more than one that refuses: it may be up later. */
function worst<T>(outcomes: readonly HostOutcome<T>[]): TrueupError {
  const errors = outcomes.map(({ error }) => error!)
  return errors.find(({ code }) => code === 'TARGET_UNREACHABLE') ?? errors[0]!
}

/** Runs at most `limit` at once; the first error stops what has not begun, and is thrown when all that had begun is over. */
async function bounded<In, Out>(
  limit: number,
  items: readonly In[],
  work: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = []
  const errors: unknown[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      const index = next++
      try {
        results[index] = await work(items[index]!, index)
      } catch (thrown) {
        errors.push(thrown)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  if (errors.length > 0) throw errors[0]
  return results
}
