import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { Field, TextField } from '../../ui/basics.tsx'
import { Time } from '../../ui/time.tsx'
import { NOTICE_KIND } from '../environment-notices.tsx'

type Kind = Schemas['Notice']['kind']
const KINDS = Object.keys(NOTICE_KIND) as Kind[]

/** A word to everybody who looks at an environment, until it is withdrawn or over. */
export function PostNotice({ repository, environment }: { repository: string; environment: string }) {
  const whyNot = useWhyNot(repository)('environment.notice')
  const [kind, setKind] = useState<Kind>('incident')
  const [until, setUntil] = useState('')
  return (
    <Act
      label={t.notice}
      title={t.saySomethingAbout(environment)}
      lead={t.itStandsOnTheOverview}
      command={`trueup env notice ${environment} TEXT --kind ${kind} --repo ${repository}`}
      run={(text) =>
        ask(
          api.POST('/api/v1/repositories/{repository}/environments/{environment}/notices', {
            params: { path: { repository, environment } },
            body: { kind, text, until: until ? new Date(until).getTime() : null },
          }),
        )
      }
      done={t.postedOn(environment)}
      reason={{ label: t.whatEverybodyShouldKnow }}
      whyNot={whyNot}
    >
      <Field label={t.kind}>
        <select value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {NOTICE_KIND[each].label}
            </option>
          ))}
        </select>
      </Field>
      <TextField
        label={t.until}
        hint={t.emptyUntilSomeoneWithdrawsIt}
        type="datetime-local"
        value={until}
        set={setUntil}
      />
    </Act>
  )
}

/** The notices that stand, each with the way to take it down. */
export function StandingNotices({ repository, notices }: { repository: string; notices: Schemas['Notice'][] }) {
  const whyNot = useWhyNot(repository)('environment.notice')
  return notices.map(({ id, environment, kind, text, by, createdAt }) => (
    <div key={id} className={`mt-2 flex items-center gap-2 rounded border px-2 py-1 ${NOTICE_KIND[kind].look}`}>
      <span className="wrap-anywhere">
        {t.labelByByText(NOTICE_KIND[kind].label, by, text)}
        <span className="text-muted">
          <Time at={createdAt} />
        </span>
      </span>
      <span className="ml-auto">
        <Act
          label={t.withdraw}
          title={t.withdrawTheNoticeOn(environment)}
          command={`trueup env withdraw ${environment} --notice ${id} --repo ${repository}`}
          run={() =>
            ask(
              api.DELETE('/api/v1/repositories/{repository}/environments/{environment}/notices/{notice}', {
                params: { path: { repository, environment, notice: id } },
              }),
            )
          }
          done={t.withdrawn}
          whyNot={whyNot}
        />
      </span>
    </div>
  ))
}
