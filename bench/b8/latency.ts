import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverContext } from '../../src/drivers/driver.ts'
import { FilesConfig } from '../../src/drivers/files/config.ts'
import { watch } from '../../src/drivers/files/watch/watch.ts'

/**
 * `latency.ts ROOT EDITS`: milliseconds from before an edit of one file to the call that reports its path, one per line.
 * The editor is this process, which makes the number an upper bound.
 */
const [root = '', edits = '50'] = process.argv.slice(2)
const target = join(root, 'host')
const workspace = join(root, 'workspace')
const context = {
  stack: { id: 'stk_bench', repository: 'bench', environment: 'production', name: 'host', path: 'stack' },
  config: FilesConfig.parse({ target }),
  workspace,
  directory: join(workspace, 'stack'),
  cache: join(root, 'cache'),
  env: {},
  inputs: {},
  log: () => {},
} as unknown as DriverContext<FilesConfig>

// The watch alone does not keep a process alive.
const alive = setInterval(() => {}, 1000)
let awaited: { path: string; seen: () => void } | undefined
const running = await watch(context, (paths) => {
  if (awaited && paths.includes(awaited.path)) awaited.seen()
})
for (let i = 0; i < Number(edits); i++) {
  const path = join(target, `d${(i * 37) % 100}`, `f${(i * 61) % 100}`)
  const seen = new Promise<void>((resolve) => (awaited = { path, seen: resolve }))
  const before = performance.now()
  appendFileSync(path, 'edit\n')
  await seen
  console.log((performance.now() - before).toFixed(3))
  await sleep(50) // Single edits, each after a quiet time.
}
await running.close()
clearInterval(alive)
