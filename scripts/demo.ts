/** `npm run demo`: `trueup demo` from the source tree, with the tools that `npm run tools` may have installed. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathWithTools } from '../src/cli/demo/demo.ts'

const root = join(import.meta.dirname, '..')
const argv = ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), 'demo', ...process.argv.slice(2)]
const env = { ...process.env, PATH: pathWithTools(root, process.env['PATH'] ?? '') }
const child = spawn(process.execPath, argv, { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('close', (code) => process.exit(code ?? 1))
