import type { ReactNode } from 'react'
import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/settings.ts'
import { Time } from '../../ui/time.tsx'

type Connection = NonNullable<Schemas['Repository']['connection']>

/** Where a connected repository lives, and how the last look there went. */
export function forgeFacts(connection: Connection | null): [string, ReactNode][] {
  if (!connection) return []
  const { url, account, lookedAt, lookEveryMs, problem, webhookProblem, requests } = connection
  return [
    [
      t.forge,
      <a key="forge" className="underline" href={url} rel="noreferrer" target="_blank">
        {url}
      </a>,
    ],
    [t.accountThere, account],
    [
      t.lastLook,
      <span key="looked">
        {lookedAt === null ? t.notYet : <Time at={lookedAt} />}
        {t.everySeconds(lookEveryMs / 1000)}
      </span>,
    ],
    ...(requests ? [[t.requestsLeft, t.leftOf(requests.left, requests.limit)] as [string, ReactNode]] : []),
    [t.webhook, webhookProblem === null ? t.isThere : t.isNotThere(webhookProblem)],
    ...(problem ? [[t.problem, `${problem.doing}: ${problem.why}. ${problem.next}`] as [string, ReactNode]] : []),
  ]
}
