import { join } from 'node:path'
import { keyedHash } from '../../../lib/digest.ts'
import { runProcess } from '../../../lib/process/run.ts'
import type { DriverContext } from '../../driver.ts'
import { FilesConfig } from '../config.ts'
import { filesDriver } from '../index.ts'

/** Plans and applies `ROOT/workspace/stack` to `ROOT/host`. A program of its own, for a test to kill. */
const [root = ''] = process.argv.slice(2)
const workspace = join(root, 'workspace')
const config = FilesConfig.parse({ target: join(root, 'host'), prune: 'listed' })
const context: DriverContext<FilesConfig> = {
  stack: { id: 'stk_test', repository: 'test', environment: 'staging', name: 'stack', path: 'stack' },
  config,
  destroy: false,
  phase: 'apply',
  workspace,
  directory: join(workspace, 'stack'),
  scratch: root,
  cache: join(root, 'cache'),
  env: {},
  inputs: {},
  ignore: [],
  signal: new AbortController().signal,
  hash: (value) => keyedHash('key', value),
  mask: () => {},
  log: () => {},
  seal: (plain) => plain,
  open: (sealed) => sealed,
  run: runProcess,
}
const plan = await filesDriver.plan(context)
process.stdout.write('planned\n')
const { status } = await filesDriver.apply(context, plan)
process.stdout.write(`${status}\n`)
