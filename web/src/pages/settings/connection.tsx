import { api, ask, ApiError, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/connections.ts'
import { Act } from '../../ui/act.tsx'
import { Facts, Panel } from '../../ui/basics.tsx'
import { ErrorNote } from '../../ui/load.tsx'
import { notify } from '../../ui/notice.tsx'
import { duration, Time } from '../../ui/time.tsx'
import { type ForgeName, useCredential } from './credential.tsx'

/** Where a connected repository lives, how the last look there went, and what can be done about it. */
export function Connection({ repository }: { repository: Schemas['Repository'] }) {
  const { name, forge, connection } = repository
  const whyNot = useWhyNot(name)
  const path = { params: { path: { repository: name } } }
  const { fields, token, options, clear } = useCredential(forge === 'builtin' ? null : (forge as ForgeName))
  if (!connection) return null
  const { url, account, lookedAt, lookEveryMs, problem, webhookProblem, requests } = connection
  return (
    <Panel
      title={t.connection}
      aside={
        <>
          <Act
            label={t.look}
            title={t.lookAtTheForge}
            lead={t.withoutWaiting}
            command={`trueup repo look ${name}`}
            run={() => ask(api.POST('/api/v1/repositories/{repository}/connection/look', path))}
            done={t.looked}
            whyNot={whyNot('mr.plan')}
          />
          <Act
            label={t.rotate}
            title={t.anotherToken(name)}
            lead={t.theWebhookToo}
            command={`trueup repo rotate ${name} ${options}`}
            run={async () => {
              await ask(
                api.PUT('/api/v1/repositories/{repository}/connection/token', { ...path, body: { token: token! } }),
              )
              clear()
            }}
            done={t.isRotated}
            whyNot={whyNot('repository.connect')}
            ready={token !== null}
          >
            {fields}
          </Act>
          <Act
            label={t.disconnect}
            title={t.disconnectName(name)}
            lead={t.itIsHostedHere}
            command={`trueup repo disconnect ${name}`}
            run={async () => {
              const { webhookLeft } = await ask(api.DELETE('/api/v1/repositories/{repository}/connection', path))
              if (webhookLeft !== null) notify(t.webhookLeft(webhookLeft))
            }}
            done={t.isDisconnected}
            variant="danger"
            whyNot={whyNot('repository.connect')}
          />
        </>
      }
    >
      {problem && (
        <div className="mb-3">
          <ErrorNote error={new ApiError(502, problem)} />
        </div>
      )}
      <Facts
        rows={[
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
              {t.polling(duration(lookEveryMs))}
            </span>,
          ],
          ...(requests
            ? ([
                [
                  t.requests,
                  <span key="requests">
                    {t.leftOf(requests.left.toLocaleString(), requests.limit.toLocaleString())}
                    {requests.resetAt !== null && (
                      <>
                        {t.until}
                        <Time at={requests.resetAt} />
                      </>
                    )}
                  </span>,
                ],
              ] as const)
            : []),
          [t.webhook, webhookProblem === null ? t.webhookIsThere : t.webhookIsNot(webhookProblem)],
        ]}
      />
    </Panel>
  )
}
