import { type EnvironmentKind, warning } from './kind.ts'

/** Merging is allowed all the time; what is merged in a closed window is deployed when it opens. */
export const window: EnvironmentKind = ({ environment }) => {
  const { open, nextChangeAt, reason } = environment.window
  if (open) return []
  const until = nextChangeAt === null ? null : new Date(nextChangeAt).toISOString().slice(0, 16)
  const next = until
    ? `Merging is possible; it is deployed after ${until.replace('T', ' ')} UTC.`
    : 'Merging is possible; it is deployed when the freeze is lifted.'
  return [warning('window', `deployments are held back: ${reason ?? 'the window is closed'}`, next, environment.name)]
}
