import { killLeftBehind } from '../lib/process/registry.ts'
import type { Logger } from './logging.ts'
import type { Workspaces } from './workspace.ts'

/**
 * What a runner does before it says hello: end the tools that a killed runner left running, then remove their
 * workspaces. In this order and before any lease: the server may give a lost run away as soon as this worker says that it
 * does not hold it, and two tools must never work on one stack.
 */
export async function recover(processes: string, workspaces: Workspaces, graceMs: number, log: Logger): Promise<void> {
  const ended = await killLeftBehind(processes, graceMs)
  for (const label of ended) log.warn({ program: label }, 'ended a tool that a killed runner had left')
  await workspaces.removeStale()
}
