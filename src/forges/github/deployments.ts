import { z } from 'zod'
import { cut } from '../../domain/render/safe-text.ts'
import type { RemoteApi, RemoteDeployment } from '../remote/api.ts'
import { Anything, type GitHubClient } from './client.ts'

/** Longest description that is taken. */
const MAX_DESCRIPTION = 140
const STATES: { readonly [state in RemoteDeployment['state']]: string } = {
  running: 'in_progress',
  success: 'success',
  failure: 'failure',
  // GitHub has no other word for what was given up.
  canceled: 'inactive',
}
const Made = z.object({ id: z.number().int() })

/** Deployments of a commit to an environment, which GitHub makes where there is none of the name, and what became of them. */
export function deploymentsOf(client: GitHubClient): Pick<RemoteApi, 'setDeployment'> {
  return {
    async setDeployment(id, { commitOid, environment, production, state, description, url }) {
      const doing = `showing the deployment in ${environment}`
      const path = `${await client.at()}/deployments`
      const shown = cut(description, MAX_DESCRIPTION)
      const deployment = {
        ref: commitOid,
        environment,
        description: shown,
        production_environment: production,
        auto_merge: false,
        // What the commit had to have was asked by the gate.
        required_contexts: [],
      }
      const made = id ?? String((await client.ask(path, Made, { doing, method: 'POST', body: deployment })).id)
      const status = { state: STATES[state], description: shown, environment, ...(url && { log_url: url }) }
      await client.ask(`${path}/${made}/statuses`, Anything, { doing, method: 'POST', body: status })
      return made
    },
  }
}
