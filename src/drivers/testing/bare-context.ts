import { join } from 'node:path'
import { keyedHash } from '../../lib/digest.ts'
import { runProcess } from '../../lib/process/run.ts'
import type { DriverContext } from '../driver.ts'

/**
 * The context of one run in a program of its own, which a test kills or a benchmark measures: the stack lies in
 * `ROOT/workspace/stack`, nothing is masked, sealed or told. It is the stack of `testContext`, so that a later run in the
 * test finds what this one has left.
 */
export function bareContext<Config>(
  root: string,
  config: Config,
  more: Partial<DriverContext<Config>> = {},
): DriverContext<Config> {
  const workspace = join(root, 'workspace')
  return {
    stack: { id: 'stk_test', repository: 'test', environment: 'staging', name: 'stack', path: 'stack' },
    config,
    destroy: false,
    phase: 'apply',
    workspace,
    directory: join(workspace, 'stack'),
    scratch: join(root, 'scratch'),
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
    ...more,
  }
}
