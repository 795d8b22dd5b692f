import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { deploy, type FilesTest, filesTest, leftovers, tree } from '../testing/stack.ts'

const PROGRAM = new URL('../testing/apply-program.ts', import.meta.url).pathname
const ROUNDS = 20
const FILES = 60

let context: FilesTest
afterEach(() => context.remove())

/** Content that shows when a part of it is missing or from another round. */
const content = (round: number, i: number): string =>
  `${`round ${round} file ${i}\n`.repeat(400)}end of round ${round}\n`

/** Runs an apply in a process of its own and kills it some time after it has planned, unless it has ended by then. */
async function applyInChild(root: string, killAfterMs: number): Promise<{ killed: boolean; tookMs: number }> {
  const child = spawn(process.execPath, [PROGRAM, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_code, signal) => resolve(signal)))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const planned = performance.now()
  await Promise.race([sleep(killAfterMs), closed])
  child.kill('SIGKILL')
  return { killed: (await closed) === 'SIGKILL', tookMs: performance.now() - planned }
}

test(`killed at ${ROUNDS} points, every file is old or new as a whole, and the next apply converges`, async () => {
  context = await filesTest({ files: { 'stack/always': 'x\n' }, config: { prune: 'listed' } })
  await deploy(context)
  let killed = 0
  let tookMs = 0
  const survived = { old: 0, new: 0 }
  for (let round = 1; round <= ROUNDS; round++) {
    const names = Array.from({ length: FILES }, (_, i) => `d${i % 5}/f${i}`)
    await context.write(Object.fromEntries(names.map((name, i) => [`stack/${name}`, content(round, i)])))
    // Something to prune too: a file that only every other round has.
    await context.write({ 'stack/sometimes': round % 2 === 0 ? 'x\n' : null })
    const before = await tree(context.target)
    // The first round runs to its end and says how long an apply takes, and so does every one that was faster than its
    // kill: the machine may have been busier before. The kills are spread over that time.
    const killAfterMs = round === 1 ? 60_000 : ((round - 1 + Math.random()) / ROUNDS) * tookMs
    const applied = await applyInChild(context.root, killAfterMs)
    if (applied.killed) killed++
    else ({ tookMs } = applied)
    for (const [i, name] of names.entries()) {
      if (!existsSync(join(context.target, name))) continue
      const now = await readFile(join(context.target, name), 'utf8')
      survived[now === content(round, i) ? 'new' : 'old']++
      expect([before[name]?.slice('644 '.length), content(round, i)], `${name} in round ${round}`).toContain(now)
    }
    // Every third round the next apply meets what several killed ones have left.
    if (round % 3 !== 0) continue
    // A kill in the very last write leaves nothing to apply but its temporary file; the next change takes that away.
    await context.write({ 'stack/turn': `${round}\n` })
    expect((await deploy(await context.next())).result.status).toBe('applied')
    const wanted = Object.fromEntries(names.map((name, i) => [name, `644 ${content(round, i)}`]))
    expect(await tree(context.target)).toMatchObject({ ...wanted, always: '644 x\n' })
    expect(existsSync(join(context.target, 'sometimes'))).toBe(round % 2 === 0)
    expect(await leftovers(context.target)).toEqual([])
  }
  expect(killed).toBeGreaterThan(ROUNDS / 4)
  expect(survived.old).toBeGreaterThan(0)
  expect(survived.new).toBeGreaterThan(0)
})
