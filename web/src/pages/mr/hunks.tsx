import { PatchDiff } from '@pierre/diffs/react'
import { memo, useMemo, useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { ENGINE, nameFor, THEME } from './colours.ts'
import { Thread, Writer } from './conversation.tsx'
import { newLine } from './line-ends.ts'

type File = Schemas['FileDiff']
type Comment = Schemas['Comment']

interface Note {
  line: number
  side: 'old' | 'new'
  thread: readonly Comment[] | null
}

interface Props {
  repository: string
  mr: Schemas['MergeRequest']
  file: File
  split: boolean
  comments: readonly Comment[]
}

/**
 * What differs in one file, with the threads of its lines; a click on a line's number begins one. Drawn again only when
 * something of it has changed: more files come below it all the time.
 */
export const Hunks = memo(({ repository, mr, file, split, comments }: Props) => {
  const [writing, setWriting] = useState<{ line: number; side: 'old' | 'new' } | null>(null)
  const notes = useMemo((): Note[] => {
    const threads = [...Map.groupBy(comments, ({ threadId }) => threadId).values()]
    const found = threads.flatMap((thread): Note[] => {
      const [first] = thread
      return first?.line ? [{ line: first.line, side: first.side ?? 'new', thread }] : []
    })
    return writing ? [...found, { ...writing, thread: null }] : found
  }, [comments, writing])
  const name = nameFor(file.path)
  const patch = `--- a/${name}\n+++ b/${name}\n${file.hunks}`
  return (
    <PatchDiff<Note>
      patch={patch}
      disableWorkerPool
      options={{
        diffStyle: split && window.innerWidth > 860 ? 'split' : 'unified',
        disableFileHeader: true,
        overflow: 'wrap',
        preferredHighlighter: ENGINE,
        theme: THEME,
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
            <Thread repository={repository} mr={mr} thread={note.thread} />
          ) : (
            <Writer
              repository={repository}
              number={mr.number}
              place={{ path: file.path, line: note.line, side: note.side, head: mr.head }}
              lineText={note.side === 'new' ? newLine(file.hunks, note.line) : null}
              onDone={() => setWriting(null)}
            />
          )}
        </div>
      )}
    />
  )
})

function shownTheme(): 'light' | 'dark' | 'system' {
  const chosen = document.documentElement.dataset['theme']
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}
