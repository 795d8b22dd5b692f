import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/runs.ts'
import type { Look } from '../../text.ts'
import { Mark } from '../../ui/status.tsx'
import { duration } from '../../ui/time.tsx'

const PASSED: Look = { label: 'passed', tone: 'ok', shape: 'check', meaning: '' }
const FAILED: Look = { label: 'failed', tone: 'bad', shape: 'cross', meaning: '' }

/** Commands of the user: their verdict, and what they printed; open where they failed. */
export function CommandResults({ title, results }: { title: string; results: Schemas['Run']['checks'] }) {
  if (results.length === 0) return null
  return (
    <section>
      <h3 className="pb-1 font-medium">{title}</h3>
      <ul className="flex flex-col gap-1">
        {results.map((result) => (
          <li key={result.name}>
            <details open={!result.ok}>
              <summary className="flex items-center gap-2">
                <Mark look={result.ok ? PASSED : FAILED} label />
                <code className="font-medium wrap-anywhere">{result.name}</code>
                <span className="text-sm text-muted">
                  {duration(result.durationMs)}
                  {!result.ok && t.exitCode(result.exitCode ?? 'none')}
                </span>
              </summary>
              <pre className="mt-1 max-h-80 overflow-auto rounded bg-sunken p-2 whitespace-pre-wrap" tabIndex={0}>
                {result.output || t.itPrintedNothing}
              </pre>
            </details>
          </li>
        ))}
      </ul>
    </section>
  )
}
