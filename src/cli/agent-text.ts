import type { AgentStatus, StackStatus } from '../worker/agent/standalone/overview.ts'
import { type Layout } from './output.ts'
import { when } from './times.ts'

const short = (commit: string): string => commit.slice(0, 10)

/** What an agent without a server holds, as people read it. */
export function agentText({ branch, stacks }: AgentStatus, { table, wrap }: Layout): string {
  const { taken, refused, trouble, heardAt } = branch
  const lines = [
    taken
      ? `Commit ${short(taken.commit)}, signed by ${taken.signer}, taken ${when(taken.at)}`
      : 'No commit was taken yet.',
    `The remote answered last ${heardAt ? when(heardAt) : 'never'}.`,
    ...(refused ? [`Refused: ${short(refused.commit)}: ${refused.code}: ${refused.why}`] : []),
    ...(trouble ? [`Not followed since ${when(trouble.since)}: ${trouble.why}. What is held is looked after.`] : []),
  ]
  const rows = stacks.map((stack) => [
    stack.stack,
    stateText(stack),
    stack.commit === null ? '' : short(stack.commit),
    when(stack.deployedAt),
    String(stack.counts.healed),
    stack.why,
  ])
  const said = lines.map((line) => wrap(line))
  if (rows.length === 0) return said.join('\n')
  return [...said, '', table(['STACK', 'STATE', 'COMMIT', 'DEPLOYED', 'HEALED', 'WHY'], rows)].join('\n')
}

const stateText = ({ state, doing }: StackStatus): string => {
  const words = state.replace('_', ' ')
  return doing === null ? words : `${words}, ${doing === 'deploy' ? 'deploying' : 'looking'}`
}
