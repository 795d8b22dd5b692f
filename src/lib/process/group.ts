import { setTimeout as sleep } from 'node:timers/promises'
import { allProcesses } from './proc.ts'

const POLL_MS = 20
/** What members that outlive their program get between SIGTERM and SIGKILL. */
const LEFTOVER_GRACE_MS = 500
/** After SIGKILL only a process in uninterruptible sleep (a dead NFS mount) is still there; nobody can end that. */
const AFTER_KILL_MS = 1_000

/** Sends a signal to a whole process group; a group that is gone is fine. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pgid, signal)
  } catch (thrown) {
    // EPERM: every member has changed its user (setuid); there is nothing this process may do.
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw thrown
  }
}

/**
 * Whether a group has a member that still runs. Zombies do not count: in a container whose first process does not reap,
 * they stay for ever. Only asked about when the cheap answer is "yes".
 */
export function groupAlive(pgid: number): boolean {
  try {
    process.kill(-pgid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
  const all = allProcesses()
  return all === null || all.some((each) => each.pgid === pgid && !each.zombie)
}

/** Waits for a group that was told to stop, sends SIGKILL at `killAt()` (`performance.now()` time) and waits again. */
export async function endGroup(pgid: number, killAt: () => number): Promise<void> {
  while (groupAlive(pgid)) {
    if (performance.now() >= killAt()) return killGroup(pgid)
    await sleep(POLL_MS)
  }
}

/** Ends the members that outlived their program. */
export async function endLeftovers(pgid: number): Promise<void> {
  if (!groupAlive(pgid)) return
  signalGroup(pgid, 'SIGTERM')
  const killAt = performance.now() + LEFTOVER_GRACE_MS
  await endGroup(pgid, () => killAt)
}

async function killGroup(pgid: number): Promise<void> {
  const until = performance.now() + AFTER_KILL_MS
  do {
    signalGroup(pgid, 'SIGKILL')
    if (!groupAlive(pgid)) return
    await sleep(POLL_MS)
  } while (performance.now() < until)
}
