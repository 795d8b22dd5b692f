import { useState } from 'react'

const MOST = 2_000

/** Which files of a merge request this browser has had ticked off; a change of the file makes it another one. */
export function useViewed(of: string): { has: (mark: string) => boolean; toggle: (mark: string) => void } {
  const key = `trueup.viewed.${of}`
  const [marks, setMarks] = useState(() => new Set(read(key)))
  return {
    has: (mark) => marks.has(mark),
    toggle(mark) {
      const next = new Set(marks)
      if (!next.delete(mark)) next.add(mark)
      setMarks(next)
      localStorage.setItem(key, JSON.stringify([...next].slice(-MOST)))
    },
  }
}

function read(key: string): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(kept) ? kept.filter((mark) => typeof mark === 'string') : []
  } catch {
    return []
  }
}
