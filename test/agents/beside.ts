/**
 * Started inside a network namespace: gives it, on its loopback, services of the machine outside, each through a socket in the
 * file system, which is no network. Arguments: `PORT=FILE`. Says `ready` when all are there.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

for (const argument of process.argv.slice(2)) {
  const [port, file] = argument.split('=') as [string, string]
  const server = createServer((socket) => {
    const outside = connect(file)
    socket.pipe(outside).pipe(socket)
    socket.on('error', () => outside.destroy())
    outside.on('error', () => socket.destroy())
  })
  server.listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
}
process.stdout.write('ready\n')
