import { createSocket } from 'node:dgram'
import { createConnection } from 'node:net'
import { hostname } from 'node:os'

/** Facility "log audit" (13), severity "notice" (5): https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1 */
const PRIORITY = 13 * 8 + 5
const TIMEOUT_MS = 20_000

export interface SyslogTarget {
  transport: 'udp' | 'tcp'
  host: string
  port: number
}

/** As RFC 5424 has it; over TCP with octet counting (RFC 6587). What UDP loses nobody knows. */
export async function sendToSyslog(target: SyslogTarget, lines: readonly string[], at: number): Promise<void> {
  const host = hostname().replaceAll(/[^\x21-\x7e]/g, '') || '-'
  const head = `<${PRIORITY}>1 ${new Date(at).toISOString()} ${host} trueup ${process.pid} audit-checkpoint - `
  const messages = lines.map((line) => Buffer.from(`${head}${line}`))
  await (target.transport === 'udp' ? byDatagrams(target, messages) : byStream(target, messages))
}

async function byDatagrams({ host, port }: SyslogTarget, messages: readonly Buffer[]): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    for (const message of messages)
      await new Promise<void>((resolve, reject) => {
        socket.send(message, port, host, (error) => (error ? reject(error) : resolve()))
      })
  } finally {
    socket.close()
  }
}

function byStream({ host, port }: SyslogTarget, messages: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: TIMEOUT_MS })
    socket.once('timeout', () => socket.destroy(new Error('it does not answer')))
    socket.once('error', reject)
    // What was written and acknowledged by the kernel of the other side: syslog says nothing itself.
    socket.once('close', (hadError) => (hadError ? undefined : resolve()))
    socket.resume()
    for (const message of messages) socket.write(Buffer.concat([Buffer.from(`${message.length} `), message]))
    socket.end()
  })
}
