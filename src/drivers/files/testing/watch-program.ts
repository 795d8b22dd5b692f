import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { FilesConfig } from '../config.ts'
import { watch } from '../watch/watch.ts'
import type { DriverContext } from '../../driver.ts'

/** Watches a target, edits `e/c` in it, and prints the findings and the first event. A program of its own for a test. */
const [directory = '', target = ''] = process.argv.slice(2)
const context = {
  directory,
  workspace: join(directory, '..'),
  cache: join(directory, 'cache'),
  config: FilesConfig.parse({ target }),
  env: {},
  inputs: {},
  log: () => {},
}
const stack = { id: 'stk', repository: 'test', environment: 'staging', name: 'stack', path: 'stack' }
const patience = setTimeout(() => process.exit(1), 180_000)
const running = await watch({ ...context, stack } as unknown as DriverContext<FilesConfig>, (addresses) => {
  process.stdout.write(JSON.stringify({ findings: running.findings, addresses }))
  clearTimeout(patience)
  void running.close()
})
appendFileSync(join(target, 'e/c'), 'edit\n')
