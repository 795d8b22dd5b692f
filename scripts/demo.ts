/**
 * `npm run demo`: `trueup demo` from the source tree, with the tools that `npm run tools` may have installed. With `--keep` it
 * has a Kubernetes API for as long as it runs, where the programs for one are there.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathWithTools } from '../src/cli/demo/demo.ts'
import { CLUSTER_TOOLS, startCluster } from '../test/kube/cluster.ts'
import { findTool } from '../test/tools.ts'

const root = join(import.meta.dirname, '..')
const asked = process.argv.slice(2)
const names = asked.map((word) => word.split('=')[0])
const wantsCluster = names.includes('--keep') && !names.includes('--kubeconfig')
const missing = wantsCluster ? CLUSTER_TOOLS.filter((tool) => findTool(tool) === null) : []
const cluster = wantsCluster && missing.length === 0 ? await startCluster() : undefined
if (missing.length > 0) console.error(`no Kubernetes API of its own: ${missing.join(', ')} missing`)
const own = cluster ? ['--kubeconfig', cluster.kubeconfig] : []

const argv = ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), 'demo', ...asked, ...own]
const env = { ...process.env, PATH: pathWithTools(root, process.env['PATH'] ?? '') }
const child = spawn(process.execPath, argv, { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('close', (code) => {
  void Promise.resolve(cluster?.stop()).finally(() => process.exit(code ?? 1))
})
