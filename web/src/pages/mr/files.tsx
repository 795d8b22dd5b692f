import { PatchDiff } from '@pierre/diffs/react'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { commentsQuery, mrDiffQuery } from '../../api/queries.ts'
import { Button, Empty } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { Thread, Writer } from './conversation.tsx'
import { FileTree } from './file-tree.tsx'
import { useViewed } from './viewed.ts'

type File = Schemas['FileDiff']
type Comment = Schemas['Comment']
const route = getRouteApi('/shell/r/$repository/mr/$number')
/** Larger ones are folded until someone asks for them. */
const FOLD_LINES = 600

export function Files({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const query = useQuery(mrDiffQuery(repository, mr.number, mr.head))
  const comments = useQuery(commentsQuery(repository, mr.number)).data ?? []
  const { file: named, split = true } = route.useSearch()
  const navigate = route.useNavigate()
  const viewed = useViewed(`${repository}!${mr.number}`)
  return (
    <Loaded query={query} lines={10}>
      {(files) =>
        files.length === 0 ? (
          <Empty title="No file differs">The branch holds what the target has already.</Empty>
        ) : (
          <div className="grid grid-cols-[220px_minmax(0,1fr)] items-start gap-3 max-md:grid-cols-1">
            <FileTree files={files} current={named} isViewed={(file) => viewed.has(markOf(file))} />
            <div className="flex min-w-0 flex-col gap-3">
              <div className="flex items-center gap-2 text-muted">
                <span>
                  {files.length} {files.length === 1 ? 'file' : 'files'},{' '}
                  <span className="text-ok">+{sum(files, 'additions')}</span>{' '}
                  <span className="text-bad">−{sum(files, 'deletions')}</span>
                </span>
                <Button
                  className="ml-auto max-md:hidden"
                  aria-pressed={split}
                  onClick={() =>
                    void navigate({
                      search: (before) => ({ ...before, split: split ? false : undefined }),
                      replace: true,
                    })
                  }
                >
                  {split ? 'Show in one column' : 'Show side by side'}
                </Button>
              </div>
              {files.map((file) => (
                <FileView
                  key={file.path}
                  repository={repository}
                  number={mr.number}
                  file={file}
                  split={split}
                  current={file.path === named}
                  comments={comments.filter(({ path }) => path === file.path)}
                  viewed={viewed.has(markOf(file))}
                  onViewed={() => viewed.toggle(markOf(file))}
                />
              ))}
            </div>
          </div>
        )
      }
    </Loaded>
  )
}

const sum = (files: readonly File[], what: 'additions' | 'deletions'): number =>
  files.reduce((all, file) => all + file[what], 0)

/** A file counts as viewed until what it shows is another. */
function markOf(file: File): string {
  let hash = 0
  for (let at = 0; at < file.hunks.length; at++) hash = (Math.imul(hash, 31) + file.hunks.charCodeAt(at)) | 0
  return `${file.path} ${hash}`
}

function FileView({
  repository,
  number,
  file,
  split,
  current,
  comments,
  viewed,
  onViewed,
}: {
  repository: string
  number: number
  file: File
  split: boolean
  current: boolean
  comments: readonly Comment[]
  viewed: boolean
  onViewed: () => void
}) {
  const lines = file.additions + file.deletions
  const [open, setOpen] = useState(!viewed && lines <= FOLD_LINES)
  const box = useRef<HTMLElement>(null)
  const near = useNear(box)
  useEffect(() => {
    if (current) box.current?.scrollIntoView({ block: 'start' })
  }, [current])
  return (
    <section ref={box} aria-label={file.path} className="overflow-hidden rounded-lg border border-line bg-panel">
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-1.5">
        <button
          type="button"
          data-row=""
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="font-mono text-sm font-medium wrap-anywhere hover:underline"
        >
          {file.oldPath && file.oldPath !== file.path ? `${file.oldPath} → ${file.path}` : file.path}
        </button>
        <span className="text-sm text-muted">{file.status}</span>
        <span className="ml-auto text-sm tabular-nums">
          <span className="text-ok">+{file.additions}</span> <span className="text-bad">−{file.deletions}</span>
        </span>
        <label className="flex items-center gap-1.5 text-sm text-muted">
          <input
            type="checkbox"
            checked={viewed}
            onChange={() => {
              onViewed()
              setOpen(viewed)
            }}
          />
          viewed
        </label>
      </header>
      {open && !near && <div style={{ height: Math.min(lines + 6, FOLD_LINES) * 18 }} />}
      {open && near && (
        <>
          {file.binary ? (
            <p className="px-3 py-2 text-muted">A binary file.</p>
          ) : file.hunks === '' ? (
            <p className="px-3 py-2 text-muted">
              {file.truncated ? 'Too large to show here.' : 'Only its name or mode differs.'}
            </p>
          ) : (
            <Hunks repository={repository} number={number} file={file} split={split} comments={comments} />
          )}
          {file.truncated && file.hunks !== '' && (
            <p className="border-t border-line bg-warn-soft px-3 py-1 text-warn">
              Left out from here on: the file differs in more than fits.
            </p>
          )}
        </>
      )}
      {!open && lines > FOLD_LINES && <p className="px-3 py-1.5 text-muted">{lines} lines, folded.</p>}
    </section>
  )
}

interface Note {
  line: number
  side: 'old' | 'new'
  thread: readonly Comment[] | null
}

function Hunks({
  repository,
  number,
  file,
  split,
  comments,
}: {
  repository: string
  number: number
  file: File
  split: boolean
  comments: readonly Comment[]
}) {
  const [writing, setWriting] = useState<{ line: number; side: 'old' | 'new' } | null>(null)
  const notes = useMemo((): Note[] => {
    const threads = [...Map.groupBy(comments, ({ threadId }) => threadId).values()]
    const found = threads.flatMap((thread): Note[] => {
      const [first] = thread
      return first?.line ? [{ line: first.line, side: first.side ?? 'new', thread }] : []
    })
    return writing ? [...found, { ...writing, thread: null }] : found
  }, [comments, writing])
  // The name is only for the colours of its language; ours stands above it, so that a hostile one is never parsed.
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(file.path)?.[1] ?? 'txt'
  const name = `file.${extension}`
  const patch = `--- a/${name}\n+++ b/${name}\n${file.hunks}`
  return (
    <PatchDiff<Note>
      patch={patch}
      disableWorkerPool
      options={{
        diffStyle: split && window.innerWidth > 860 ? 'split' : 'unified',
        disableFileHeader: true,
        overflow: 'wrap',
        // Its other engine is WebAssembly, which the content policy does not allow.
        preferredHighlighter: 'shiki-js',
        theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
        themeType: shownTheme(),
        onLineNumberClick: ({ lineNumber, annotationSide }) =>
          setWriting({ line: lineNumber, side: annotationSide === 'deletions' ? 'old' : 'new' }),
      }}
      lineAnnotations={notes.map((note) => ({
        side: note.side === 'old' ? 'deletions' : 'additions',
        lineNumber: note.line,
        metadata: note,
      }))}
      renderAnnotation={({ metadata: note }) => (
        <div className="p-2 font-sans whitespace-normal">
          {note.thread ? (
            <Thread repository={repository} number={number} thread={note.thread} />
          ) : (
            <Writer
              repository={repository}
              number={number}
              place={{ path: file.path, line: note.line, side: note.side }}
              onDone={() => setWriting(null)}
            />
          )}
        </div>
      )}
    />
  )
}

function shownTheme(): 'light' | 'dark' | 'system' {
  const chosen = document.documentElement.dataset['theme']
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

/** Becomes true, for good, when the element comes near the screen: thousands of files cost nothing until then. */
function useNear(element: React.RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (!element.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setNear(true)
      },
      { rootMargin: '800px' },
    )
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return near
}
