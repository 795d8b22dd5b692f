import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ApiError, type Schemas } from '../api/client.ts'
import { repositoriesQuery } from '../api/queries.ts'
import { t } from '../strings/frame.ts'
import { ErrorNote } from '../ui/load.tsx'

/** How often it is asked whether somebody has mended it. */
const MENDED_EVERY_MS = 10_000

/** On every page of a repository whose Git directory is damaged: that it is, and what to do. Plans, pushes and merges wait. */
export function Damage() {
  const { repository } = useParams({ strict: false })
  const isDamaged = ({ items }: { items: readonly Schemas['Repository'][] }): string | null =>
    items.find(({ name }) => name === repository)?.damage ?? null
  const { data: damage } = useQuery({
    ...repositoriesQuery,
    select: isDamaged,
    refetchInterval: ({ state }) => (state.data && isDamaged(state.data) !== null ? MENDED_EVERY_MS : false),
  })
  if (!damage) return null
  const body = {
    code: 'REPOSITORY_UNUSABLE',
    doing: t.thisRepositoryIsDamagedAnd,
    why: damage,
    next: t.whatIsShownIsWhat,
  }
  return (
    <div className="mb-2">
      <ErrorNote error={new ApiError(503, body)} />
    </div>
  )
}
