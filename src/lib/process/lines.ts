const NEWLINE = 0x0a
const RETURN = 0x0d

/** Cuts a byte stream into lines of bounded length. */
export interface LineSplitter {
  add(chunk: Buffer): void
  /** The stream is over: hands on a last line that had no line end. */
  end(): void
}

/**
 * Lines are split as bytes and decoded whole, so a character never breaks at a chunk's border. Of a line longer than
 * `limit` the first bytes are handed on with a note of how many are missing; the rest is never held in memory.
 */
export function lineSplitter(limit: number, onLine: (line: string) => void): LineSplitter {
  let parts: Buffer[] = []
  let held = 0
  let cut = 0

  const hold = (piece: Buffer) => {
    const taken = Math.min(piece.length, limit - held)
    if (taken > 0) parts.push(piece.subarray(0, taken))
    held += taken
    cut += piece.length - taken
  }
  const emit = () => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    const end = cut === 0 && bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length
    const note = cut === 0 ? '' : `… [${cut} bytes of this line left out]`
    parts = []
    held = 0
    cut = 0
    onLine(bytes.toString('utf8', 0, end) + note)
  }
  return {
    add(chunk) {
      let from = 0
      for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
        hold(chunk.subarray(from, to))
        emit()
        from = to + 1
      }
      if (from < chunk.length) hold(chunk.subarray(from))
    },
    end() {
      if (held + cut > 0) emit()
    },
  }
}
