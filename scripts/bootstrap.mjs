// Runs a TypeScript program of this repository on the pinned Node, whatever Node started it. Installs the
// dependencies first when they are missing or older than the lock file. Plain JavaScript, for Node 18 and newer.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [program, ...args] = process.argv.slice(2)
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const stamp = join(root, 'node_modules', '.trueup-installed')

installWhenNeeded()
const child = spawnSync(node, ['--disable-warning=ExperimentalWarning', resolve(root, program), ...args], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
    // What Node has compiled is kept from one start to the next.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled'),
  },
})
if (child.error) throw child.error
process.exit(child.status ?? 1)

function installWhenNeeded() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('installing dependencies (npm install)…\n')
  // Not `npm ci`: the lock file may lack optional packages of other platforms, which it takes for a broken lock file.
  const argv = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = spawnSync('npm', argv, { cwd: root, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) {
    process.stderr.write('installing dependencies: npm install ended with an error; its output is above\n')
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}
