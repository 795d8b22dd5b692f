import { kubernetesDriver } from '../../src/drivers/kubernetes/index.ts'
import { workInWindow } from '../window.ts'
import { benchContext } from './context.ts'

/**
 * Our side of B5 and B6, a process of its own: `contestant.ts ROOT NAMESPACE WORK TIMES`. WORK is `deploy` (plan and apply), or
 * `drift` (that many checks, behind a watch as a runner keeps it).
 */
const [root = '', namespace = '', work = 'deploy', times = '1'] = process.argv.slice(2)

async function deploy(): Promise<void> {
  const context = benchContext(root, namespace, 'deploy')
  const plan = await kubernetesDriver.plan(context)
  const { status, resources, findings } = await kubernetesDriver.apply(context, plan)
  if (status !== 'applied') throw new Error(JSON.stringify([resources.filter((one) => one.message), findings]))
  console.log(`${status} ${resources.length}`)
}

async function drift(): Promise<void> {
  for (let check = 0; check < Number(times); check++) {
    const { changes, coverage } = await kubernetesDriver.plan(benchContext(root, namespace, 'drift'))
    console.log(`${coverage.checked} checked, ${changes.length} differ`)
  }
}

if (work === 'deploy') await workInWindow(deploy)
else {
  const watch = await kubernetesDriver.watch!(benchContext(root, namespace, 'drift'), () => {})
  await workInWindow(drift)
  await watch.close()
}
process.exit(0)
