/**
 * CPU time of this process since the call, in milliseconds. Tests that guard against runaway work ask for this rather than
 * for wall time, which says more about what else the machine is doing.
 */
export function stopwatch(): () => number {
  const started = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1000
  }
}
