import { workInWindow } from '../../window.ts'
import { applyAll, prepared, rawClient } from '../raw-client.ts'

/** The floor of B5 and B6: `contestant.ts MANIFESTS NAMESPACE WORK TIMES`; `drift` is a dry run of everything, each time. */
const [directory = '', namespace = '', work = 'deploy', times = '1'] = process.argv.slice(2)
/** Of 4, 8, 16, 32 and 64 the best against an API server on two cores (2026). */
const AT_ONCE = 16

const client = rawClient(process.env.KUBECONFIG ?? '')
const all = prepared(directory, namespace)
await workInWindow(async () => {
  for (let time = 0; time < Number(times); time++) await applyAll(client, all, AT_ONCE, work === 'drift')
})
process.exit(0)
