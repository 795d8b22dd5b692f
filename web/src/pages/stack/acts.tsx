import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { RollBack } from './roll-back.tsx'

/** What can be ordered for a stack. */
export function StackActs({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const whyNot = useWhyNot(repository)
  const key = `${stack.environment}/${stack.name}`
  const order = { params: { path: { repository } }, body: { stack: key } }
  const repo = `--repo ${repository}`
  const undeployed = stack.deployed.commit === null ? 'Nothing is deployed yet' : null
  return (
    <>
      <Act
        label="Check now"
        title={`Look for drift of ${key}`}
        command={`trueup drift check ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/checks', order))}
        done="The check is ordered"
        whyNot={whyNot('drift.check') ?? undeployed}
      />
      <Act
        label="Heal"
        title={`Overwrite the drift of ${key}`}
        lead={`${stack.drift.open} ${stack.drift.open === 1 ? 'attribute goes' : 'attributes go'} back to what was deployed.`}
        command={`trueup drift heal ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/heals', order))}
        done="The heal is ordered"
        variant={stack.drift.open > 0 ? 'primary' : 'plain'}
        whyNot={
          whyNot('drift.heal') ??
          undeployed ??
          (stack.brokenBy === null ? null : 'A deployment left it half-way: deploy or roll back first') ??
          (stack.drift.open > 0 ? null : 'No drift is open')
        }
      />
      <Act
        label="Write into Git"
        title={`Propose what is there now as the desired state of ${key}`}
        lead="Looks again, and opens a merge request with the live values where the tool can say how to write them."
        command={`trueup drift codify ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/codifications', order))}
        done="The codification is ordered"
        whyNot={whyNot('drift.codify') ?? undeployed ?? (stack.drift.open > 0 ? null : 'No drift is open')}
      />
      <RollBack
        repository={repository}
        stack={key}
        deployment={stack.recentDeployments.find(({ kind }) => kind === 'deploy')}
      />
    </>
  )
}
