import { useEffect, useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { onLog } from '../../api/live.ts'

export interface LogText {
  lines: readonly string[]
  /** When each was written, milliseconds. */
  times: readonly number[]
  /** The run has ended, and everything was read. */
  done: boolean
  error: unknown
}

/** Reads on where it stopped, whenever the stream of changes says that there is more. */
export function useLog(run: string, ended: boolean): LogText {
  const [log, setLog] = useState<LogText>({ lines: [], times: [], done: false, error: null })
  useEffect(() => {
    const lines: string[] = []
    const times: number[] = []
    let rest = ''
    let offset = 0
    /** Of the line that comes next. */
    let begin = 0
    let since = 0
    let reading = false
    let wanted = false
    let stopped = false
    const read = async (): Promise<void> => {
      if (reading) {
        wanted = true
        return
      }
      reading = true
      try {
        for (;;) {
          const part = await ask(api.GET('/api/v1/runs/{run}/log', { params: { path: { run }, query: { offset } } }))
          if (stopped) return
          const grew = part.next > offset
          offset = part.next
          const pieces = (rest + part.text).split('\n')
          rest = pieces.pop() ?? ''
          let mark = 0
          const timeOf = (start: number): number => {
            while (mark < part.times.length && part.times[mark]!.offset <= start) since = part.times[mark++]!.at
            return since
          }
          // One by one: a spread of a hundred thousand arguments overflows the stack.
          for (const piece of pieces) {
            times.push(timeOf(begin))
            lines.push(lastOverwrite(piece))
            begin += piece.length + 1
          }
          const isWhole = rest === ''
          setLog({
            lines: isWhole ? [...lines] : [...lines, lastOverwrite(rest)],
            times: isWhole ? [...times] : [...times, timeOf(begin)],
            done: part.done,
            error: null,
          })
          if (part.done || (!grew && !wanted)) return
          wanted = false
        }
      } catch (error) {
        if (!stopped) setLog((before) => ({ ...before, error }))
      } finally {
        reading = false
      }
    }
    const forget = onLog(run, () => void read())
    void read()
    return () => {
      stopped = true
      forget()
    }
  }, [run, ended])
  return log
}

/** A tool that draws progress with carriage returns means the last of them. */
const lastOverwrite = (line: string): string => {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.slice(text.lastIndexOf('\r') + 1)
}
