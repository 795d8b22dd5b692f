import { type Call, mayWrite, missing, ok, Refusal, type Route, userJson } from './call.ts'
import type { DoubleDeployment } from './state.ts'

const R = '/repos/{owner}/{repo}'
const deploymentJson = ({ statuses: _statuses, creator, ...deployment }: DoubleDeployment) => ({
  ...deployment,
  ref: deployment.sha,
  creator: userJson(creator),
})
const statusJson = ({ creator, ...status }: DoubleDeployment['statuses'][number]) => ({
  ...status,
  creator: userJson(creator),
})
const deploymentOf = ({ state, parts }: Call): DoubleDeployment =>
  state.deployments.find(({ id }) => id === Number(parts[0])) ?? missing()

/** What is deployed where. */
export const DEPLOYMENT_ROUTES: readonly Route[] = [
  [
    `get ${R}/deployments`,
    async ({ state, query }) =>
      ok(
        state.deployments
          .filter(({ sha }) => sha === (query.get('sha') ?? sha))
          .toReversed()
          .map(deploymentJson),
      ),
  ],
  [
    `post ${R}/deployments`,
    async (call) => {
      mayWrite(call)
      const { ref, environment, description = '', production_environment = false, ...more } = call.body
      const [contexts, merges] = [more.required_contexts, more.auto_merge]
      // Without these GitHub asks for green statuses of its own, and merges the default branch into the ref first.
      if (contexts?.length !== 0 || merges !== false) throw new Refusal(409, 'Conflict: Commit status checks failed')
      const id = (call.state.lastId += 1)
      const made = { id, sha: ref, environment, description, production_environment, creator: call.user, statuses: [] }
      call.state.deployments.push(made)
      return ok(deploymentJson(made), 201)
    },
  ],
  [
    `get ${R}/deployments/{deployment_id}/statuses`,
    async (call) => ok(deploymentOf(call).statuses.toReversed().map(statusJson)),
  ],
  [
    `post ${R}/deployments/{deployment_id}/statuses`,
    async (call) => {
      mayWrite(call)
      const deployment = deploymentOf(call)
      const { state, description = '', environment = deployment.environment } = call.body
      const status = { id: (call.state.lastId += 1), state, description, environment, creator: call.user }
      deployment.statuses.push(status)
      return ok(statusJson(status), 201)
    },
  ],
]
