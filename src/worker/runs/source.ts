import type { Materialised } from '../../git/repository.ts'
import type { HttpClient } from '../connection/http.ts'
import { WORKER_PATHS, type Grant, type WatchOrder } from '../protocol.ts'
import { download } from './download.ts'

/** What the server offers a run for one phase. */
export type Offered = Pick<Grant, 'variables' | 'formerSecrets' | 'identityTokens'>

/** A run or a watch as variables are asked for; `signedVariables` and `signedTokens` (names) are what an agent has read in the signed commit. */
export type VariablesOrder = Pick<Grant, 'stack'> & {
  signedVariables?: { [name: string]: string }
  signedTokens?: readonly string[]
}

/**
 * Where a worker has the files and settings of a run from, and what of a grant it believes. A runner takes the server's
 * word; an agent believes what its signers have signed.
 */
export interface Source {
  /** Writes the files into `directory` and answers with the grant as this worker will execute it. Throws what it refuses. */
  fetch(grant: Grant, directory: string, signal: AbortSignal): Promise<{ grant: Grant; files: Materialised }>
  /** The files of the stack as they are deployed; only where the grant has `deployedDiffers`. */
  fetchDeployed(grant: Grant, directory: string, signal: AbortSignal): Promise<unknown>
  /** The same as `fetch` for a stack that is to be watched. */
  fetchWatched(
    order: WatchOrder,
    directory: string,
    signal: AbortSignal,
  ): Promise<{ order: WatchOrder; files: Materialised }>
  /** What the tools of one phase get of it. */
  variables(order: VariablesOrder, offered: Offered): Offered
  /** The tool is about to change something. */
  applying(grant: Grant): void
  /** It no longer does. `untouched`: it never did; `broken`: it did not get to its good end. */
  applied(grant: Grant, end: { untouched: boolean; broken: boolean }): void
  /** The run has left this worker, however it ended. */
  left(grant: Grant): Promise<void>
  /** Something at the target of a watched stack may have changed. */
  drifted(order: WatchOrder): void
  /** Reports that wait for the server, where it keeps any. */
  waiting?(): number
  close(): Promise<void>
}

/** The server's word and its tars. */
export function serverSource(http: HttpClient): Source {
  return {
    async fetch(grant, directory, signal) {
      const files = await download(http, WORKER_PATHS.workspace(grant.runId, grant.fence), directory, signal)
      return { grant, files }
    },
    fetchDeployed: (grant, directory, signal) =>
      download(http, WORKER_PATHS.deployed(grant.runId, grant.fence), directory, signal),
    async fetchWatched(order, directory, signal) {
      const path = WORKER_PATHS.watchWorkspace(order.stack.id, order.commit)
      return { order, files: await download(http, path, directory, signal) }
    },
    variables: (_order, offered) => offered,
    applying() {},
    applied() {},
    left: async () => {},
    drifted() {},
    close: async () => {},
  }
}
