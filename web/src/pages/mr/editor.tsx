import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { mrFileQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { Button, CommandLine, TextField } from '../../ui/basics.tsx'
import { ErrorNote, Loaded } from '../../ui/load.tsx'
import { lineEndOf } from './line-ends.ts'
import { NumberedText } from './numbered-text.tsx'
import { useCommit } from './own-commits.ts'

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
  const content = lineEnd === '\r\n' ? text.replaceAll('\n', '\r\n') : text
  const commit = useCommit(repository, mr, onDone)
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
        commit.mutate({
          head: now.content === base.content ? now.head : base.head,
          message,
          files: [{ path, content }],
        })
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
export const quoted = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
