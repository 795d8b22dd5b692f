import { DatabaseSync } from 'node:sqlite'

/** What an agent holds of one stack: the last commit that it took for the stack's desired state. */
export interface Held {
  commit: string
  /** Name of the pack in the agent's own repository. */
  pack: string
}

/** The agent's memory of its stacks, in its own SQLite: it survives every kill, and tells old from new. */
export interface HeldStacks {
  /** What an apply that a kill cut off was about to bring counts as held: it may be half there. */
  of(stackId: string): Held | undefined
  /** An apply of this begins; durable before it does. */
  begin(stackId: string, held: Held): void
  /** The apply that began has changed nothing. */
  untouched(stackId: string): void
  /** From now on this is the stack's desired state. */
  hold(stackId: string, held: Held): void
  /** Packs that some stack needs. */
  packs(): Set<string>
  close(): void
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS held (
    stack TEXT PRIMARY KEY, "commit" TEXT, pack TEXT, begun_commit TEXT, begun_pack TEXT
  ) STRICT;
`

interface Row {
  commit: string | null
  pack: string | null
  begun_commit: string | null
  begun_pack: string | null
}

export function openHeld(file: string): HeldStacks {
  const database = new DatabaseSync(file)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`)
  const read = database.prepare('SELECT "commit", pack, begun_commit, begun_pack FROM held WHERE stack = ?')
  const begin = database.prepare(
    `INSERT INTO held (stack, begun_commit, begun_pack) VALUES (?, ?, ?)
     ON CONFLICT (stack) DO UPDATE SET begun_commit = excluded.begun_commit, begun_pack = excluded.begun_pack`,
  )
  const forget = database.prepare('UPDATE held SET begun_commit = NULL, begun_pack = NULL WHERE stack = ?')
  const hold = database.prepare(
    `INSERT INTO held (stack, "commit", pack) VALUES (?, ?, ?) ON CONFLICT (stack) DO UPDATE
     SET "commit" = excluded."commit", pack = excluded.pack, begun_commit = NULL, begun_pack = NULL`,
  )
  const all = database.prepare('SELECT pack, begun_pack FROM held')
  return {
    of(stackId) {
      const row = read.get(stackId) as Row | undefined
      const commit = row?.begun_commit ?? row?.commit
      const pack = row?.begun_pack ?? row?.pack
      return commit && pack ? { commit, pack } : undefined
    },
    begin: (stackId, { commit, pack }) => void begin.run(stackId, commit, pack),
    untouched: (stackId) => void forget.run(stackId),
    hold: (stackId, { commit, pack }) => void hold.run(stackId, commit, pack),
    packs: () =>
      new Set(
        (all.all() as unknown as Row[])
          .flatMap(({ pack, begun_pack }) => [pack, begun_pack])
          .filter((each) => each !== null),
      ),
    close: () => database.close(),
  }
}
