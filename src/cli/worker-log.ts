import type { WorkerLog } from '../server/schemas/operations.ts'

const LEVELS: { [level: number]: string } = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
/** Of every line, and told by the place or known already. */
const OWN = new Set(['level', 'time', 'msg', 'name', 'pid', 'hostname'])

/** `2026-03-01T10:00:00.000Z warn connection lost reason=closed`, one entry a line. */
export const workerLogText = (entries: WorkerLog['entries']): string =>
  entries
    .map((entry) => {
      const { level, time, msg } = entry
      const at = typeof time === 'number' ? new Date(time).toISOString() : ''
      const fields = Object.entries(entry).flatMap(([name, value]) =>
        OWN.has(name) ? [] : [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
      )
      return [at, LEVELS[Number(level)] ?? '', typeof msg === 'string' ? msg : '', ...fields].filter(Boolean).join(' ')
    })
    .join('\n')
