/** Keeps the first bytes of a stream and counts the rest. */
export interface OutputCapture {
  add(chunk: Buffer): void
  /** What was kept, as UTF-8. */
  text(): string
  dropped(): number
}

export function outputCapture(limit: number): OutputCapture {
  const chunks: Buffer[] = []
  let kept = 0
  let dropped = 0
  return {
    add(chunk) {
      const taken = Math.min(chunk.length, limit - kept)
      if (taken > 0) chunks.push(taken === chunk.length ? chunk : Buffer.from(chunk.subarray(0, taken)))
      kept += taken
      dropped += chunk.length - taken
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
    dropped: () => dropped,
  }
}
