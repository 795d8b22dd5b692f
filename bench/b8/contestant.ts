import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { FilesConfig } from '../../src/drivers/files/config.ts'
import { filesDriver } from '../../src/drivers/files/index.ts'
import { bareContext } from '../../src/drivers/testing/bare-context.ts'

/**
 * Our side of B8, a process of its own: `contestant.ts ROOT WORK PASSES`. WORK is `audit` (every file of the host is read
 * and hashed), `cold` (the wanted files too), `warm` (stat data only) or `fix` (plan and apply).
 */
const [root = '', work = 'audit', passes = '1'] = process.argv.slice(2)

const benchContext = (auditEvery: string) =>
  bareContext(root, FilesConfig.parse({ target: join(root, 'host'), auditEvery }))

for (let pass = 0; pass < Number(passes); pass++) {
  if (work === 'cold') rmSync(join(root, 'cache'), { recursive: true, force: true })
  const context = benchContext(work === 'warm' || work === 'fix' ? '24h' : '0s')
  const plan = await filesDriver.plan(context)
  if (work === 'fix') {
    const result = await filesDriver.apply(context, plan)
    console.log(`${result.status} ${plan.changes.length}`)
  } else console.log(`${JSON.stringify(plan.outputs.files?.value)} files, ${plan.changes.length} differ`)
}
