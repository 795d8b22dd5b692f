import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { t } from '../../strings/second-factor.ts'
import { Act } from '../../ui/act.tsx'
import { Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { Time } from '../../ui/time.tsx'
import { EnrolSecondFactor } from './enrol-second-factor.tsx'

/** Whether one has a second factor; setting it up, proving it, and its end. */
export function SecondFactor() {
  const [code, setCode] = useState('')
  const [enrolling, setEnrolling] = useState(false)
  const query = useQuery({
    queryKey: ['session', 'second-factor'],
    queryFn: () => ask(api.GET('/api/v1/session/second-factor')),
  })
  const field = <TextField label={t.codeOrRecovery} autoComplete="one-time-code" value={code} set={setCode} required />
  return (
    <Loaded query={query}>
      {(state) =>
        state.enrolledAt === null || enrolling ? (
          <div onClickCapture={() => setEnrolling(true)}>
            <EnrolSecondFactor done={() => setEnrolling(false)} />
          </div>
        ) : (
          <Panel title={t.secondFactor}>
            <p className="pb-2">
              {t.setUp} <Time at={state.enrolledAt} />. {t.codesLeft(state.recoveryCodesLeft)}
            </p>
            <div className="flex gap-2">
              <Act
                label={t.prove}
                title={t.proveIt}
                lead={t.whyProve}
                command="trueup second-factor prove"
                run={async () => {
                  await ask(api.POST('/api/v1/session/second-factor/prove', { body: { code } }))
                  setCode('')
                }}
                done={t.proven}
                ready={code.length >= 6}
              >
                {field}
              </Act>
              <Act
                label={t.remove}
                title={t.removeIt}
                command="trueup second-factor remove"
                run={async () => {
                  await ask(api.DELETE('/api/v1/session/second-factor', { body: { code } }))
                  setCode('')
                }}
                done={t.removed}
                ready={code.length >= 6}
                variant="danger"
              >
                {field}
              </Act>
            </div>
          </Panel>
        )
      }
    </Loaded>
  )
}
