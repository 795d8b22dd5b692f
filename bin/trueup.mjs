#!/usr/bin/env node
// Plain JavaScript that any Node can read: says in a sentence what is missing instead of a syntax error.
// A checkout runs its sources, whatever an earlier build has left in dist/; the package has no sources.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const root = new URL('..', import.meta.url)
const built = fileURLToPath(new URL('dist/cli/main.js', root))
const source = fileURLToPath(new URL('src/cli/main.ts', root))
const entry = existsSync(source) ? source : built
const pinned = fileURLToPath(new URL('node_modules/node/bin/node', root))
const argv = process.argv.slice(2)

if (argv.length === 1 && /^(--version|-V)$/.test(argv[0])) {
  // Scripts and editors ask for it all the time, and nothing else is needed for it.
  process.stdout.write(`${JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version}\n`)
} else if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  keepCompiled()
  process.removeAllListeners('warning')
  await import(new URL(`file://${entry}`).href)
} else if (existsSync(pinned)) {
  // A checkout carries its own runtime as a dependency.
  keepCompiled()
  const child = spawn(pinned, ['--disable-warning=ExperimentalWarning', entry, ...argv], { stdio: 'inherit' })
  // Whoever stops a service stops this process. Ctrl-C reaches the child by itself as well, which takes both for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code) => (process.exitCode = code ?? 1))
} else {
  process.stderr.write(
    `error: starting trueup: it needs Node ${NEEDED} or newer, and this is Node ${process.versions.node} (${process.execPath})\n` +
      'Install a current Node: https://nodejs.org/en/download\n',
  )
  process.exitCode = 1
}

/**
 * Keeps what Node has compiled from one start to the next, also for the processes that are started from here: it halves what
 * a command costs. In the user's own cache directory, since Node's default is a name in /tmp, where anybody can put code that
 * is run. A directory that cannot be written costs only time.
 */
function keepCompiled() {
  const base = process.env.XDG_CACHE_HOME || join(process.env.HOME || homedir(), '.cache')
  process.env.NODE_COMPILE_CACHE ??= join(base, 'trueup', 'compiled')
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE)
}
