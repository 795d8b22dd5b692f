import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { endGroup, signalGroup } from './group.ts'
import { allProcesses, bootId, environmentHolds, processEntry, type ProcessEntry } from './proc.ts'

/** One started process group on disk, until it is over. */
export interface GroupRecord {
  /** Called right after the start with the leader's process id (= process group id). */
  started(pid: number): void
  /** The group is over: the record is removed. */
  ended(): void
  /** What goes into the group's environment, so that its members can be recognised. */
  readonly env: { [name: string]: string }
}

/** The process groups that this program has started and not seen end, one small file each. */
export interface ProcessRegistry {
  /** Writes the intent down before the start, so that a kill between start and record leaves a trace. */
  open(label: string): GroupRecord
}

/** Every member inherits it; it tells a left-behind process from one that merely got the same id. */
const MARK = 'TRUEUP_PROCESS_GROUP'

const Record = z.object({
  mark: z.string(),
  label: z.string(),
  bootId: z.string(),
  /** Absent: the program was killed between writing the intent and learning the process id. */
  pid: z.number().optional(),
  startTime: z.number().optional(),
})
type Record = z.infer<typeof Record>

/**
 * The registry in a directory (made when missing). One program at a time may use it. Writes are not flushed to the
 * disk: the records matter after a kill of this program, and not after a crash of the machine, which ends all groups.
 */
export function processRegistry(directory: string): ProcessRegistry {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const boot = bootId()
  return {
    open(label) {
      const mark = randomBytes(12).toString('hex')
      const file = join(directory, `${mark}.json`)
      const intent: Record = { mark, label, bootId: boot }
      writeFileSync(file, JSON.stringify(intent), { mode: 0o600 })
      return {
        env: { [MARK]: mark },
        started(pid) {
          const record: Record = { ...intent, pid, startTime: processEntry(pid)?.startTime }
          writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
          renameSync(`${file}.new`, file)
        },
        ended: () => rmSync(file, { force: true }),
      }
    },
  }
}

/**
 * Ends every group that an earlier program left in the registry: SIGINT, `graceMs`, SIGKILL. A process counts as left
 * behind when its start time or its environment proves that it belongs to the record, never by its id alone.
 * @returns the labels of the groups that were still alive.
 */
export async function killLeftBehind(directory: string, graceMs: number): Promise<string[]> {
  const found = readRecords(directory).map((entry) => ({
    ...entry,
    groups: entry.record ? groupsOf(entry.record) : [],
  }))
  for (const { groups } of found) for (const group of groups) signalGroup(group, 'SIGINT')
  const killAt = performance.now() + graceMs
  await Promise.all(
    found.map(async ({ file, groups }) => {
      await Promise.all(groups.map((group) => endGroup(group, () => killAt)))
      rmSync(file, { force: true })
    }),
  )
  return found.flatMap(({ record, groups }) => (record && groups.length > 0 ? [record.label] : []))
}

function readRecords(directory: string): { file: string; record: Record | null }[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return []
  }
  return names.map((name) => {
    const file = join(directory, name)
    return { file, record: readRecord(file) }
  })
}

/** Null for a file that a kill left half-written: its group is found by nothing, but it has only just been started. */
function readRecord(file: string): Record | null {
  try {
    return Record.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

/** Process group ids with at least one member that provably belongs to the record. */
function groupsOf(record: Record): number[] {
  if (record.bootId !== bootId()) return []
  const members = (allProcesses() ?? []).filter((each) => !each.zombie && belongs(each, record))
  return [...new Set(members.map((each) => each.pgid))]
}

function belongs(entry: ProcessEntry, record: Record): boolean {
  if (record.pid === undefined) return environmentHolds(entry.pid, MARK, record.mark)
  if (entry.pgid !== record.pid) return false
  const isLeader = entry.pid === record.pid && entry.startTime === record.startTime
  return isLeader || environmentHolds(entry.pid, MARK, record.mark)
}
