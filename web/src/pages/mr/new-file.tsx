import { useMutation, useQueryClient } from '@tanstack/react-query'
import { FilePlus } from 'lucide-react'
import { useState } from 'react'
import { ApiError, type Schemas } from '../../api/client.ts'
import { mrFileQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Button, CommandLine, TextField } from '../../ui/basics.tsx'
import { ErrorNote } from '../../ui/load.tsx'
import { quoted } from './editor.tsx'
import { NumberedText } from './numbered-text.tsx'
import { useCommit } from './own-commits.ts'

interface Place {
  repository: string
  mr: Schemas['MergeRequest']
}

/** A file that the branch does not have yet: named, written and committed here; then the page shows its plan. */
export function NewFile({ repository, mr }: Place) {
  const [open, setOpen] = useState(false)
  const whyNot = useWhyNot(repository)('git.push')
  if (mr.state !== 'open') return null
  if (!open)
    return (
      <Button whyNot={whyNot} onClick={() => setOpen(true)}>
        <FilePlus size={13} aria-hidden />
        {t.addAFile}
      </Button>
    )
  return <NewFileForm repository={repository} mr={mr} onDone={() => setOpen(false)} />
}

function NewFileForm({ repository, mr, onDone }: Place & { onDone: () => void }) {
  // The branch as it was when the text was begun: a commit on top of anything newer is refused.
  const [head] = useState(mr.head)
  const [path, setPath] = useState('')
  const [content, setContent] = useState('')
  const [message, setMessage] = useState('')
  const client = useQueryClient()
  const commit = useCommit(repository, mr, onDone)
  const name = path.trim()
  /** Refuses a name that the branch has already: what is there is edited, never overwritten unseen. */
  const mustBeNew = useMutation({
    mutationFn: async () => {
      const found = await client.fetchQuery({ ...mrFileQuery(repository, mr.number, name, head), retry: false }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof ApiError && error.body.code === 'NOT_FOUND') return false
          throw error
        },
      )
      if (found)
        throw new ApiError(409, {
          code: 'CONFLICT',
          doing: t.addingPath(name),
          why: t.itIsThereAlready,
          next: t.editIt,
        })
    },
    onSuccess: () => commit.mutate({ head, message, files: [{ path: name, content }] }),
  })
  const error = mustBeNew.error ?? commit.error
  return (
    <form
      aria-label={t.addAFile}
      className="flex w-full flex-col gap-2 rounded-lg border border-line bg-panel p-3 text-ink"
      onSubmit={(event) => {
        event.preventDefault()
        mustBeNew.mutate()
      }}
    >
      <TextField label={t.pathFromTheRoot} value={path} set={setPath} required maxLength={4096} spellCheck={false} />
      <NumberedText label={t.contentOfTheNewFile} value={content} set={setContent} />
      <TextField
        label={t.whatTheCommitSays}
        value={message}
        set={setMessage}
        placeholder={name ? t.addPath(name) : ''}
        maxLength={2000}
      />
      {error && <ErrorNote error={error} />}
      <p className="text-sm text-muted">
        {t.inATerminal}
        <CommandLine
          line={`trueup mr commit ${mr.number} ${quoted(name || 'PATH')} --from FILE --repo ${repository}`}
        />
      </p>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" disabled={mustBeNew.isPending || commit.isPending || name === ''}>
          {mustBeNew.isPending || commit.isPending ? t.working : t.commitTo(mr.sourceBranch)}
        </Button>
        <Button onClick={onDone}>{t.notNow}</Button>
      </div>
    </form>
  )
}
