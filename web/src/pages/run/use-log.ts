import { useEffect, useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { onLog } from '../../api/live.ts'

export interface LogText {
  lines: readonly string[]
  /** The run has ended, and everything was read. */
  done: boolean
  error: unknown
}

/** Reads on where it stopped, whenever the stream of changes says that there is more. */
export function useLog(run: string, ended: boolean): LogText {
  const [log, setLog] = useState<LogText>({ lines: [], done: false, error: null })
  useEffect(() => {
    const lines: string[] = []
    let rest = ''
    let offset = 0
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
          // One by one: a spread of a hundred thousand arguments overflows the stack.
          for (const piece of pieces) lines.push(lastOverwrite(piece))
          setLog({ lines: rest === '' ? [...lines] : [...lines, lastOverwrite(rest)], done: part.done, error: null })
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
