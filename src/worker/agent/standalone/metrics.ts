import { one, series } from '../../metrics-text.ts'
import { type AgentStatus, overviewOf } from './overview.ts'

/** The agent's metrics in Prometheus' text format. Labels are states, never names. */
export function metricsText({ branch, stacks }: AgentStatus): string {
  const seconds = (at: number | undefined): number => (at === undefined ? 0 : Math.floor(at / 1000))
  const sum = (count: 'deployed' | 'healed' | 'failed'): number =>
    stacks.reduce((total, { counts }) => total + counts[count], 0)
  return [
    ...series(
      'trueup_agent_stacks',
      'gauge',
      'Stacks by state.',
      Object.entries(overviewOf(stacks)).map(([state, count]) => [{ state }, count] as const),
    ),
    ...one('trueup_agent_deployments_total', 'counter', 'Deployments that came to a good end.', sum('deployed')),
    ...one('trueup_agent_heals_total', 'counter', 'Drift that was overwritten.', sum('healed')),
    ...one('trueup_agent_failures_total', 'counter', 'Runs that ended with an error.', sum('failed')),
    ...one(
      'trueup_agent_remote_heard_timestamp_seconds',
      'gauge',
      'When the remote answered last.',
      seconds(branch.heardAt),
    ),
    ...one('trueup_agent_remote_trouble', 'gauge', 'Whether the remote cannot be followed.', branch.trouble ? 1 : 0),
    ...one('trueup_agent_commit_refused', 'gauge', 'Whether the newest commit was refused.', branch.refused ? 1 : 0),
    ...one(
      'trueup_agent_commit_taken_timestamp_seconds',
      'gauge',
      'When the last commit was taken.',
      seconds(branch.taken?.at),
    ),
    ...one('trueup_agent_resident_bytes', 'gauge', 'Resident memory of the agent itself.', process.memoryUsage.rss()),
    '',
  ].join('\n')
}
