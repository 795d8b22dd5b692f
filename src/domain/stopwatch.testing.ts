/** Makes objects and texts, as parsers and planners do: what a machine that is short of memory is slow at, too. */
function work(): number {
  const started = process.cpuUsage()
  const made: object[] = []
  for (let at = 0; at < 300_000; at++) made.push({ at, text: `text ${at}` })
  const { user, system } = process.cpuUsage(started)
  return made.length === 0 ? 0 : (user + system) / 1000
}

/** What `work` takes where nothing is the matter, in milliseconds. */
const USUAL_MS = 60

/**
 * CPU time of this process since the call, in milliseconds of a usual machine: a known piece of work is done before and
 * after, and where that is slower than usual, so is everything else. Tests that guard against runaway work ask for this
 * rather than for wall time, which says more about what else the machine is doing.
 */
export function stopwatch(): () => number {
  const before = work()
  const started = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(started)
    const slowness = Math.max(1, Math.max(before, work()) / USUAL_MS)
    return (user + system) / 1000 / slowness
  }
}
