#!/usr/bin/env node
// Plain JavaScript that any Node can read: says in a sentence what is missing instead of a syntax error.
// A checkout runs its sources, whatever an earlier build has left in dist/; the package has no sources.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const root = new URL('..', import.meta.url)
const built = fileURLToPath(new URL('dist/cli/main.js', root))
const source = fileURLToPath(new URL('src/cli/main.ts', root))
const entry = existsSync(source) ? source : built
const pinned = fileURLToPath(new URL('node_modules/node/bin/node', root))

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  process.removeAllListeners('warning')
  await import(new URL(`file://${entry}`).href)
} else if (existsSync(pinned)) {
  // A checkout carries its own runtime as a dependency.
  const argv = ['--disable-warning=ExperimentalWarning', entry, ...process.argv.slice(2)]
  const child = spawn(pinned, argv, { stdio: 'inherit' })
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
