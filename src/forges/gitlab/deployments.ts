import { z } from 'zod'
import type { RemoteApi, RemoteDeployment } from '../remote/api.ts'
import { Anything, type GitLabClient } from './client.ts'

const STATES: { readonly [state in RemoteDeployment['state']]: string } = {
  running: 'running',
  success: 'success',
  failure: 'failed',
  canceled: 'canceled',
}
const Made = z.object({ id: z.number().int() })

/** Deployments of a commit to an environment, which GitLab makes where there is none of the name. They carry no words of ours. */
export function deploymentsOf(client: GitLabClient): Pick<RemoteApi, 'setDeployment'> {
  return {
    async setDeployment(id, { commitOid, branch, environment, state }) {
      const doing = `showing the deployment in ${environment}`
      const path = `${client.at}/deployments`
      const status = STATES[state]
      if (id !== null) {
        // Said again it would be no change, which GitLab refuses.
        if (state !== 'running') await client.ask(`${path}/${id}`, Anything, { doing, method: 'PUT', body: { status } })
        return id
      }
      const body = { environment, sha: commitOid, ref: branch, tag: false, status }
      return String((await client.ask(path, Made, { doing, method: 'POST', body })).id)
    },
  }
}
