/**
 * Runs inside a sandbox that may reach something: its only network is a loopback of its own, and programs speak to proxies
 * over TCP. Each `PORT=SOCKET` before `--` is a port to listen on and the Unix socket behind it; what follows is the tool,
 * whose exit code is this program's.
 */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const words = process.argv.slice(2)
const end = words.indexOf('--')
const [program = '', ...args] = words.slice(end + 1)

for (const forward of words.slice(0, end)) {
  const [port, socket = ''] = forward.split('=')
  const server = createServer((client) => {
    const upstream = connect(socket)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(port), '127.0.0.1', resolve)
  })
  server.unref()
}
// An interrupt goes to the whole group, the tool among it, whose end is this program's end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
const child = spawn(program, args, { stdio: 'inherit' })
child.once('error', (error: NodeJS.ErrnoException) => {
  process.stderr.write(`/usr/bin/env: ${program}: ${error.message}\n`)
  process.exit(127)
})
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal!]))
