import { rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../audit/audit.ts'
import { writeLeaving } from '../audit/leaving.ts'
import { openKeys } from '../database/keys.ts'
import { openStore } from '../open.ts'
import { restoreStore } from '../backup/restore.ts'
import { archiveAudit } from '../retention/archive-audit.ts'
import { enqueueTask } from '../runs/tasks.ts'

/** Programs that tests run as a process of their own, to kill, to stop, or to give a disk of their own. */
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

const [program = '', dataDir = '', argument = ''] = process.argv.slice(2)
try {
  await programOf(program)
} catch (error) {
  say({ error: error instanceof TrueupError ? error.toJSON() : String(error) })
  process.exit(1)
}

async function programOf(name: string): Promise<void> {
  if (name === 'restore') {
    say({ started: true })
    return say({ restored: await restoreStore(argument, dataDir) })
  }
  const store = await openStore(dataDir)
  say({ open: process.pid })
  if (name === 'hold') return void setInterval(() => {}, 1000)
  /** One transaction of two rows; what it says was acknowledged. `argument` sets runs of this program apart. */
  const write = async (n: number, padding = ''): Promise<void> => {
    const subject = `${argument}-${n}`
    await store.transaction(async (tx) => {
      await enqueueTask(tx, { kind: 'test', key: subject, payload: { padding } })
      await appendAudit(tx, { actor: 'system', action: 'test.write', subject })
    })
    say({ wrote: subject })
  }
  if (name === 'write') for (let n = 0; ; n++) await write(n)
  /** Archives all but the newest five events, and hangs at a transaction of it: `before:1` before the first, `after:2` … */
  if (name === 'archive') {
    const keys = await openKeys(dataDir, store.db)
    const [when, at] = argument.split(':')
    let count = 0
    const hang = async (now: string): Promise<void> => {
      if (now !== when || count !== Number(at)) return
      say({ hangs: argument })
      await new Promise(() => setInterval(() => {}, 1000))
    }
    const transaction: typeof store.transaction = async (work) => {
      count++
      await hang('before')
      const answer = await store.transaction(work)
      await hang('after')
      return answer
    }
    const options = { newest: 5, actor: 'system' }
    const left = await archiveAudit({ ...store, transaction }, keys, options, (_, order) =>
      writeLeaving(store.db, keys, order),
    )
    say({ left, transactions: count })
    await store.close()
  }
  if (name === 'fill') {
    let n = 0
    const full = await (async () => {
      for (; ; n++) await write(n, 'x'.repeat(50_000))
    })().catch((error: unknown) => error)
    say({ full: full instanceof TrueupError ? full.toJSON() : String(full) })
    // The store is still usable: it reads, and it writes again once there is room (even a deletion needs some).
    const tasks = await store.db.selectFrom('tasks').select('dedupeKey').execute()
    say({ tasks: tasks.length, wrote: n })
    rmSync(join(dataDir, 'ballast'))
    await write(n + 1)
    await store.close()
    say({ closed: true })
  }
}
