const STOPPING = ['SIGINT', 'SIGTERM'] as const
export type StopSignal = (typeof STOPPING)[number]

/**
 * One request to stop may arrive twice: a terminal or a service manager sends it to the whole group, and
 * `bin/trueup.mjs` passes it on. People are slower than this. Milliseconds.
 */
const ECHO_MS = 200

/**
 * Calls back for each request to stop by SIGINT or SIGTERM, `nth` from 1; what arrives within a moment of a request is the
 * same one. Returns how to listen no longer.
 */
export function onStopRequests(handle: (signal: StopSignal, nth: number) => void): () => void {
  let nth = 0
  let latest = Number.NEGATIVE_INFINITY
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (now - latest < ECHO_MS) return
    latest = now
    handle(signal as StopSignal, ++nth)
  }
  for (const signal of STOPPING) process.on(signal, listener)
  return () => {
    for (const signal of STOPPING) process.off(signal, listener)
  }
}
