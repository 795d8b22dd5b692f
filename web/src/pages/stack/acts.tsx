import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/stack.ts'
import { Act } from '../../ui/act.tsx'
import { RollBack } from './roll-back.tsx'

/** What can be ordered for a stack. */
export function StackActs({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const whyNot = useWhyNot(repository)
  const key = `${stack.environment}/${stack.name}`
  const order = { params: { path: { repository } }, body: { stack: key } }
  const repo = `--repo ${repository}`
  const undeployed = stack.deployed.commit === null ? t.nothingIsDeployedYet : null
  return (
    <>
      <Act
        label={t.checkNow}
        title={t.lookForDriftOf(key)}
        command={`trueup drift check ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/checks', order))}
        done={t.theCheckIsOrdered}
        whyNot={whyNot('drift.check') ?? undeployed}
      />
      <Act
        label={t.heal}
        title={t.overwriteTheDriftOf(key)}
        lead={t.backToWhatWasDeployed(stack.drift.open, stack.drift.open === 1 ? t.attributeGoes : t.attributesGo)}
        command={`trueup drift heal ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/heals', order))}
        done={t.theHealIsOrdered}
        variant={stack.drift.open > 0 ? 'primary' : 'plain'}
        whyNot={
          whyNot('drift.heal') ??
          undeployed ??
          (stack.brokenBy === null ? null : t.aDeploymentLeftItHalf) ??
          (stack.drift.open > 0 ? null : t.noDriftIsOpen)
        }
      />
      <Act
        label={t.writeIntoGit}
        title={t.proposeWhatIsThereNow(key)}
        lead={t.looksAgainAndOpensA}
        command={`trueup drift codify ${key} ${repo}`}
        run={() => ask(api.POST('/api/v1/repositories/{repository}/drift/codifications', order))}
        done={t.theCodificationIsOrdered}
        whyNot={whyNot('drift.codify') ?? undeployed ?? (stack.drift.open > 0 ? null : t.noDriftIsOpen)}
      />
      <RollBack
        repository={repository}
        stack={key}
        deployment={stack.recentDeployments.find(({ kind }) => kind === 'deploy')}
      />
    </>
  )
}
