import { Link } from '@tanstack/react-router'
import { Check } from 'lucide-react'
import type { Schemas } from '../../api/client.ts'

type File = Schemas['FileDiff']

/** Files by folder; a link each, which moves the page to it. */
export function FileTree({
  files,
  current,
  isViewed,
}: {
  files: readonly File[]
  current: string | undefined
  isViewed: (file: File) => boolean
}) {
  const folders = [...Map.groupBy(files, ({ path }) => path.slice(0, Math.max(path.lastIndexOf('/'), 0)))]
  return (
    <nav aria-label="Files" className="sticky top-0 max-h-[80vh] overflow-y-auto max-md:hidden">
      {folders.map(([folder, its]) => (
        <div key={folder} className="pb-1.5">
          {folder && (
            <p className="truncate text-sm text-muted" title={folder}>
              {folder}/
            </p>
          )}
          {its.map((file) => (
            <Link
              key={file.path}
              to="."
              search={((before: object) => ({ ...before, file: file.path })) as never}
              replace
              title={file.path}
              aria-current={file.path === current ? 'true' : undefined}
              className="flex items-center gap-1.5 rounded-sm px-1.5 py-0.5 hover:bg-hover aria-[current=true]:bg-accent-soft"
            >
              <span className="truncate">{file.path.slice(folder ? folder.length + 1 : 0)}</span>
              {isViewed(file) && <Check size={12} className="shrink-0 text-ok" aria-label="viewed" />}
              <span className="ml-auto shrink-0 text-xs text-muted tabular-nums">
                {file.additions + file.deletions}
              </span>
            </Link>
          ))}
        </div>
      ))}
    </nav>
  )
}
