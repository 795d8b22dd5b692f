import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Pencil } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { commentsQuery, mrDiffQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Button, Empty } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { coloursOf } from './colours.ts'
import { Editor } from './editor.tsx'
import { FileTree } from './file-tree.tsx'
import { Hunks } from './hunks.tsx'
import { useNear } from './near.ts'
import { NewFile } from './new-file.tsx'
import { useViewed } from './viewed.ts'

type File = Schemas['FileDiff']
type Comment = Schemas['Comment']
const route = getRouteApi('/shell/r/$repository/mr/$number')
/** Larger ones are folded until someone asks for them. */
const FOLD_LINES = 600
const NONE: readonly Comment[] = []

export function Files({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const query = useQuery(mrDiffQuery(repository, mr.number, mr.head))
  const { data: said } = useQuery(commentsQuery(repository, mr.number))
  const comments = useMemo(() => Map.groupBy(said ?? [], ({ path }) => path), [said])
  const { file: named, split = true } = route.useSearch()
  const navigate = route.useNavigate()
  const viewed = useViewed(`${repository}!${mr.number}`)
  return (
    <Loaded query={query} lines={10}>
      {(files) =>
        files.length === 0 ? (
          <>
            <NewFile repository={repository} mr={mr} />
            <Empty title={t.noFileDiffers}>{t.theBranchHoldsWhatThe}</Empty>
          </>
        ) : (
          <div className="grid grid-cols-[220px_minmax(0,1fr)] items-start gap-3 max-md:grid-cols-1">
            <FileTree files={files} current={named} isViewed={(file) => viewed.has(markOf(file))} />
            <div className="flex min-w-0 flex-col gap-3">
              <div className="flex flex-wrap items-center gap-2 text-muted">
                <span className="mr-auto">
                  {files.length} {files.length === 1 ? t.file : t.files2},{' '}
                  <span className="text-ok">+{sum(files, 'additions')}</span>{' '}
                  <span className="text-bad">−{sum(files, 'deletions')}</span>
                </span>
                <NewFile repository={repository} mr={mr} />
                <Button
                  className="max-md:hidden"
                  aria-pressed={split}
                  onClick={() =>
                    void navigate({
                      search: (before) => ({ ...before, split: split ? false : undefined }),
                      replace: true,
                    })
                  }
                >
                  {split ? t.showInOneColumn : t.showSideBySide}
                </Button>
              </div>
              <Portions files={files} named={named}>
                {(file) => (
                  <FileView
                    key={file.path}
                    repository={repository}
                    mr={mr}
                    file={file}
                    split={split}
                    current={file.path === named}
                    comments={comments.get(file.path) ?? NONE}
                    viewed={viewed.has(markOf(file))}
                    onViewed={() => viewed.toggle(markOf(file))}
                  />
                )}
              </Portions>
            </div>
          </div>
        )
      }
    </Loaded>
  )
}

/** So many files are made at once, and as many more when the end of them comes near. */
const PORTION = 40

/** The files up to where somebody has come, or to the one that the address names: thousands at once would stop the page. */
function Portions({
  files,
  named,
  children,
}: {
  files: readonly File[]
  named: string | undefined
  children: (file: File) => React.ReactNode
}) {
  const [count, setCount] = useState(PORTION)
  const end = useRef<HTMLDivElement>(null)
  const shown = Math.max(count, files.findIndex(({ path }) => path === named) + PORTION)
  useEffect(() => {
    if (!end.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setCount(shown + PORTION)
      },
      { rootMargin: '1600px' },
    )
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [shown])
  return (
    <>
      {files.slice(0, shown).map(children)}
      {shown < files.length && (
        <div ref={end} className="py-3 text-center text-muted">
          {t.moreFilesFollow(files.length - shown)}
        </div>
      )}
    </>
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
  mr,
  file,
  split,
  current,
  comments,
  viewed,
  onViewed,
}: {
  repository: string
  mr: Schemas['MergeRequest']
  file: File
  split: boolean
  current: boolean
  comments: readonly Comment[]
  viewed: boolean
  onViewed: () => void
}) {
  const lines = file.additions + file.deletions
  const [open, setOpen] = useState(!viewed && lines <= FOLD_LINES)
  const [editing, setEditing] = useState(false)
  const whyNot = useWhyNot(repository)('git.push')
  const editable = mr.state === 'open' && !file.binary && file.status !== 'deleted'
  const box = useRef<HTMLElement>(null)
  const near = useNear(box, () => coloursOf(file.path))
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
        <div className="ml-auto flex items-center gap-2">
          <span className="text-sm tabular-nums">
            <span className="text-ok">+{file.additions}</span> <span className="text-bad">−{file.deletions}</span>
          </span>
          {editable && (
            <Button
              variant="quiet"
              whyNot={whyNot}
              aria-label={t.editPath(file.path)}
              aria-pressed={editing}
              onClick={() => setEditing(!editing)}
            >
              <Pencil size={13} aria-hidden />
              {t.edit}
            </Button>
          )}
          <label className="flex items-center gap-1.5 text-sm text-muted">
            <input
              type="checkbox"
              checked={viewed}
              onChange={() => {
                onViewed()
                setOpen(viewed)
              }}
            />
            {t.viewed}
          </label>
        </div>
      </header>
      {editing && <Editor repository={repository} mr={mr} path={file.path} onDone={() => setEditing(false)} />}
      {!editing && open && !near && <div style={{ height: Math.min(lines + 6, FOLD_LINES) * 18 }} />}
      {!editing && open && near && (
        <>
          {file.binary ? (
            <p className="px-3 py-2 text-muted">{t.aBinaryFile}</p>
          ) : file.hunks === '' ? (
            <p className="px-3 py-2 text-muted">{file.truncated ? t.tooLargeToShowHere : t.onlyItsNameOrMode}</p>
          ) : (
            <Hunks repository={repository} mr={mr} file={file} split={split} comments={comments} />
          )}
          {file.truncated && file.hunks !== '' && (
            <p className="border-t border-line bg-warn-soft px-3 py-1 text-warn">{t.leftOutFromHereOn}</p>
          )}
        </>
      )}
      {!open && lines > FOLD_LINES && <p className="px-3 py-1.5 text-muted">{t.linesFolded(lines)}</p>}
    </section>
  )
}
