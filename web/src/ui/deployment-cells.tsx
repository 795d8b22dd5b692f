import { Link } from '@tanstack/react-router'
import type { Schemas } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { cell } from './more.tsx'
import { Summary } from './summary.tsx'

/** The merge request that something came with; empty where it came without one. */
export function MrCell({ repository, mr }: { repository: string; mr: number | null }) {
  return (
    <td className={cell}>
      {mr !== null && (
        <Link
          to="/r/$repository/mr/$number"
          params={{ repository, number: String(mr) }}
          className="text-accent hover:underline"
        >
          !{mr}
        </Link>
      )}
    </td>
  )
}

/** What a deployment changed, who wanted it, and in which merge request. */
export function DeploymentCells({ repository, deployment }: { repository: string; deployment: Schemas['Deployment'] }) {
  return (
    <>
      <td className={cell}>
        <Summary summary={deployment.summary} />
      </td>
      <td className={cell}>{deployment.actor ?? t.trueup}</td>
      <MrCell repository={repository} mr={deployment.mr} />
    </>
  )
}
