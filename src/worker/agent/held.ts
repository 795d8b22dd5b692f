import type { DatabaseSync } from 'node:sqlite'
import type { Grant } from '../protocol.ts'
import type { HealMemory } from './heal-alone.ts'

/** What an agent holds of one stack: the last commit that it took for the stack's desired state. */
export interface Held {
  commit: string
  /** Names of the packs in the agent's own repository that have it, with spaces between them. */
  pack: string
}

/** How that is planned and applied without the server. */
export interface HeldOrder {
  /** What the server calls the stack. */
  stackId: string
  order: Grant
  /** Not to be healed: the last apply did not get to its good end, or it was destroyed. */
  rests: boolean
}

/** The agent's memory of its stacks, in its own SQLite: it survives every kill, and tells old from new. */
export interface HeldStacks {
  /** What an apply that a kill cut off was about to bring counts as held: it may be half there. */
  of(stack: string): Held | undefined
  /** An apply of this begins; durable before it does. */
  begin(stack: string, held: Held): void
  /** The apply that began has changed nothing. */
  untouched(stack: string): void
  /** From now on this is the stack's desired state. */
  hold(stack: string, held: Held, order: HeldOrder): void
  /** Names of all stacks of which something is held. */
  stacks(): string[]
  /** Absent where an apply was cut off. */
  order(stack: string): HeldOrder | undefined
  heals(stack: string): HealMemory | undefined
  setHeals(stack: string, heals: HealMemory): void
  /** Packs that one stack needs: of what it holds, and of what an apply has begun to bring. */
  packsOf(stack: string): Set<string>
  /** Packs that some stack needs. */
  packs(): Set<string>
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS held (
    stack TEXT PRIMARY KEY, "commit" TEXT, pack TEXT, begun_commit TEXT, begun_pack TEXT, "order" TEXT, heals TEXT
  ) STRICT;
`

interface Row {
  commit: string | null
  pack: string | null
  begun_commit: string | null
  begun_pack: string | null
  order: string | null
  heals: string | null
}

export function openHeld(database: DatabaseSync): HeldStacks {
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`)
  const read = database.prepare('SELECT * FROM held WHERE stack = ?')
  const row = (stack: string) => read.get(stack) as unknown as Row | undefined
  const begin = database.prepare(
    `INSERT INTO held (stack, begun_commit, begun_pack) VALUES (?, ?, ?)
     ON CONFLICT (stack) DO UPDATE SET begun_commit = excluded.begun_commit, begun_pack = excluded.begun_pack`,
  )
  const forget = database.prepare('UPDATE held SET begun_commit = NULL, begun_pack = NULL WHERE stack = ?')
  const hold = database.prepare(
    `INSERT INTO held (stack, "commit", pack, "order") VALUES (?, ?, ?, ?) ON CONFLICT (stack) DO UPDATE
     SET "commit" = excluded."commit", pack = excluded.pack, "order" = excluded."order",
       begun_commit = NULL, begun_pack = NULL`,
  )
  const all = database.prepare('SELECT * FROM held ORDER BY stack')
  const setHeals = database.prepare('UPDATE held SET heals = ? WHERE stack = ?')
  return {
    of(stack) {
      const found = row(stack)
      const commit = found?.begun_commit ?? found?.commit
      const pack = found?.begun_pack ?? found?.pack
      return commit && pack ? { commit, pack } : undefined
    },
    begin: (stack, { commit, pack }) => void begin.run(stack, commit, pack),
    untouched: (stack) => void forget.run(stack),
    hold: (stack, { commit, pack }, order) => void hold.run(stack, commit, pack, JSON.stringify(order)),
    stacks: () => (all.all() as unknown as { stack: string }[]).map(({ stack }) => stack),
    order(stack) {
      const found = row(stack)
      return found?.order && found.begun_commit === null ? (JSON.parse(found.order) as HeldOrder) : undefined
    },
    heals(stack) {
      const heals = row(stack)?.heals
      return heals ? (JSON.parse(heals) as HealMemory) : undefined
    },
    setHeals: (stack, heals) => void setHeals.run(JSON.stringify(heals), stack),
    packsOf: (stack) => packsIn([row(stack)]),
    packs: () => packsIn(all.all() as unknown as Row[]),
  }
}

const packsIn = (rows: readonly (Row | undefined)[]): Set<string> =>
  new Set(rows.flatMap((row) => [row?.pack, row?.begun_pack]).flatMap((names) => names?.split(' ') ?? []))
