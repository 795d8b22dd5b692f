import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { mrFileQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { Button, CommandLine, TextField } from '../../ui/basics.tsx'
import { ErrorNote, Loaded } from '../../ui/load.tsx'
import { notify } from '../../ui/notice.tsx'
import { lineEndOf } from './line-ends.ts'
import { useOwnCommits } from './own-commits.ts'

const route = getRouteApi('/shell/r/$repository/mr/$number')
const MOST_ROWS = 32

interface Place {
  repository: string
  mr: Schemas['MergeRequest']
  path: string
}

/** The file as the source branch has it, to be changed and committed there; then the page shows its plan. */
export function Editor(props: Place & { onDone: () => void }) {
  const query = useQuery(mrFileQuery(props.repository, props.mr.number, props.path, props.mr.head))
  return (
    <div className="p-3">
      <Loaded query={query} lines={6}>
        {(file) => <EditorForm {...props} now={file} />}
      </Loaded>
    </div>
  )
}

function EditorForm({ repository, mr, path, now, onDone }: Place & { now: Schemas['SourceFile']; onDone: () => void }) {
  // What the text began as; what is pushed to other files meanwhile does not matter to it.
  const [base] = useState(now)
  const lineEnd = lineEndOf(base.content)
  const [text, setText] = useState(() => base.content.replaceAll('\r\n', '\n'))
  const [message, setMessage] = useState('')
  const client = useQueryClient()
  const navigate = route.useNavigate()
  const own = useOwnCommits()
  const content = lineEnd === '\r\n' ? text.replaceAll('\n', '\r\n') : text
  const commit = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/commits', {
          params: { path: { repository, number: mr.number } },
          body: {
            head: now.content === base.content ? now.head : base.head,
            message: message.trim(),
            files: [{ path, content }],
          },
        }),
      ),
    onSuccess: ({ commit: oid }) => {
      own(oid)
      notify(t.committedItsPlansAreBeing(oid.slice(0, 10)))
      onDone()
      void client.invalidateQueries()
      void navigate({ search: ({ tab: _tab, file: _file, ...rest }) => rest })
    },
  })
  const inTerminal = `trueup mr commit ${mr.number} ${quoted(path)} --from FILE --repo ${repository}`
  if (lineEnd === null)
    return (
      <div className="flex flex-col items-start gap-2">
        <p>{t.itsLinesEndInDifferent}</p>
        <CommandLine line={inTerminal} />
        <Button onClick={onDone}>{t.notNow}</Button>
      </div>
    )
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        commit.mutate()
      }}
    >
      <NumberedText label={t.contentOf(path)} value={text} set={setText} />
      <TextField
        label={t.whatTheCommitSays}
        value={message}
        set={setMessage}
        placeholder={t.changePath(path)}
        maxLength={2000}
      />
      {now.content !== base.content && (
        <p role="status" className="rounded border border-hold/40 bg-hold-soft px-3 py-1.5">
          {t.theFileWasChangedOn}
        </p>
      )}
      {commit.error && <ErrorNote error={commit.error} />}
      <p className="text-sm text-muted">
        {t.inATerminal}
        <CommandLine line={inTerminal} />
      </p>
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          variant="primary"
          disabled={commit.isPending || content === base.content}
          title={content === base.content ? t.nothingIsChangedYet : undefined}
        >
          {commit.isPending ? t.working : t.commitTo(mr.sourceBranch)}
        </Button>
        <Button onClick={onDone}>{t.notNow}</Button>
      </div>
    </form>
  )
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)

/** A text area with the numbers of its lines beside it; Tab leaves it, as it leaves every field. */
function NumberedText({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  const numbers = useRef<HTMLPreElement>(null)
  const lines = value.split('\n').length
  const rows = Math.min(Math.max(lines + 1, 4), MOST_ROWS)
  return (
    <div className="grid grid-cols-[max-content_minmax(0,1fr)] overflow-hidden rounded border border-strong-line bg-panel">
      <pre
        ref={numbers}
        aria-hidden
        className="overflow-hidden bg-sunken px-2 py-1.5 text-right font-mono text-sm text-muted select-none"
        style={{ height: `calc(${rows} * 18px + 12px)` }}
      >
        {Array.from({ length: lines }, (_, at) => at + 1).join('\n')}
      </pre>
      <textarea
        aria-label={label}
        value={value}
        wrap="off"
        rows={rows}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => set(event.target.value)}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop
        }}
        className="resize-none border-0! px-2! py-1.5! font-mono text-sm"
        style={{ height: `calc(${rows} * 18px + 12px)` }}
      />
    </div>
  )
}
