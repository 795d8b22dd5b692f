import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { commentsQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Button, Panel } from '../../ui/basics.tsx'
import { ErrorNote, Loaded } from '../../ui/load.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Time } from '../../ui/time.tsx'
import { Suggested } from './suggestion.tsx'

type Comment = Schemas['Comment']

export function Conversation({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const query = useQuery(commentsQuery(repository, mr.number))
  return (
    <div className="flex flex-col gap-3">
      <Panel title={mr.author}>
        {mr.description ? <Markdown text={mr.description} /> : <p className="text-muted">{t.noDescription}</p>}
      </Panel>
      <Loaded query={query}>
        {(comments) => (
          <>
            {[...Map.groupBy(comments, ({ threadId }) => threadId).values()].map((thread) => (
              <Thread key={thread[0]!.threadId} repository={repository} mr={mr} thread={thread} />
            ))}
          </>
        )}
      </Loaded>
      <Panel title={t.saySomething}>
        <Writer repository={repository} number={mr.number} />
      </Panel>
    </div>
  )
}

/** Trueup's own comment folds each plan in HTML, for readers elsewhere; here the plans have a page of their own. */
const withoutPlans = (body: string): string => body.split('<details>')[0]!.trimEnd()

export function Thread({
  repository,
  mr,
  thread,
}: {
  repository: string
  mr: Schemas['MergeRequest']
  thread: readonly Comment[]
}) {
  const { number } = mr
  const [first] = thread
  const [answering, setAnswering] = useState(false)
  const client = useQueryClient()
  const whyNot = useWhyNot(repository)('mr.comment')
  const resolve = useMutation({
    mutationFn: () =>
      ask(
        api.PUT('/api/v1/repositories/{repository}/merge-requests/{number}/comments/{thread}/resolved', {
          params: { path: { repository, number, thread: first!.threadId } },
          body: { resolved: first!.resolvedAt === null },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ['comments', repository, number] }),
  })
  if (!first) return null
  const resolved = first.resolvedAt !== null
  return (
    <article className={`overflow-hidden rounded-lg border border-line bg-panel ${resolved ? 'opacity-75' : ''}`}>
      {first.path && (
        <p className="border-b border-line bg-sunken px-3 py-1 text-sm">
          <Link
            to="/r/$repository/mr/$number"
            params={{ repository, number: String(number) }}
            search={{ tab: 'files', file: first.path }}
            className="font-mono wrap-anywhere hover:underline"
          >
            {first.path}
            {first.line !== null && `:${first.line}`}
          </Link>
        </p>
      )}
      <ul className="divide-y divide-line">
        {thread.map((comment) => (
          <li key={comment.id} className="px-3 py-2">
            <p className="flex gap-2 pb-0.5">
              <span className="font-medium">{comment.author ?? t.trueup}</span>
              <span className="text-sm text-muted">
                <Time at={comment.createdAt} />
                {comment.updatedAt > comment.createdAt && t.edited}
              </span>
            </p>
            <Markdown
              text={comment.author === null ? withoutPlans(comment.body) : comment.body}
              suggestions={comment.suggestions.length === 0}
            />
            <Suggested repository={repository} mr={mr} comment={comment} path={first.path ?? ''} settled={resolved} />
          </li>
        ))}
      </ul>
      {first.author !== null && (
        <div className="flex flex-col gap-2 border-t border-line px-3 py-1.5">
          {answering ? (
            <Writer
              repository={repository}
              number={number}
              thread={first.threadId}
              onDone={() => setAnswering(false)}
            />
          ) : (
            <div className="flex gap-2">
              <Button variant="quiet" whyNot={whyNot} onClick={() => setAnswering(true)}>
                {t.answer}
              </Button>
              <Button variant="quiet" whyNot={whyNot} disabled={resolve.isPending} onClick={() => resolve.mutate()}>
                {resolved ? t.openAgain : t.resolve}
              </Button>
              {resolved && (
                <span className="self-center text-sm text-muted">{t.resolvedBy(first.resolvedBy ?? '')}</span>
              )}
            </div>
          )}
          {resolve.error && <ErrorNote error={resolve.error} />}
        </div>
      )}
    </article>
  )
}

export function Writer({
  repository,
  number,
  thread,
  place,
  lineText = null,
  onDone,
}: {
  repository: string
  number: number
  thread?: string
  /** A line of a file, as it stands at a head. */
  place?: { path: string; line: number; side: 'old' | 'new'; head: string }
  /** What stands in the line, where a change of it can be suggested. */
  lineText?: string | null
  onDone?: () => void
}) {
  const [body, setBody] = useState('')
  const client = useQueryClient()
  const whyNot = useWhyNot(repository)('mr.comment')
  const send = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/comments', {
          params: { path: { repository, number } },
          body: { body, ...(thread && { threadId: thread }), ...place },
        }),
      ),
    onSuccess: async () => {
      setBody('')
      onDone?.()
      await client.invalidateQueries({ queryKey: ['comments', repository, number] })
    },
  })
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        send.mutate()
      }}
    >
      <textarea
        aria-label={place ? t.commentOnLineOf(place.line, place.path) : thread ? t.answer : t.comment}
        rows={body.includes('\n') ? 7 : 3}
        value={body}
        placeholder={t.markdownWorks}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && body.trim()) send.mutate()
        }}
      />
      {send.error && <ErrorNote error={send.error} />}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" whyNot={whyNot} disabled={body.trim() === '' || send.isPending}>
          {thread ? t.answer : t.comment}
        </Button>
        {lineText !== null && (
          <Button onClick={() => setBody(`${body && `${body.trimEnd()}\n\n`}\`\`\`suggestion\n${lineText}\n\`\`\`\n`)}>
            {t.suggestAChange}
          </Button>
        )}
        {onDone && <Button onClick={onDone}>{t.notNow}</Button>}
      </div>
    </form>
  )
}
