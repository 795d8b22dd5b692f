import { join } from 'node:path'
import { bareContext } from '../../testing/bare-context.ts'
import { FilesConfig } from '../config.ts'
import { filesDriver } from '../index.ts'

/** Plans and applies `ROOT/workspace/stack` to `ROOT/host`. A program of its own, for a test to kill. */
const [root = ''] = process.argv.slice(2)
const config = FilesConfig.parse({ target: join(root, 'host'), prune: 'listed' })
const context = bareContext(root, config, { scratch: root })
const plan = await filesDriver.plan(context)
process.stdout.write('planned\n')
const { status } = await filesDriver.apply(context, plan)
process.stdout.write(`${status}\n`)
