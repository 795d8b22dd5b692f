import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino'

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'

/** Header and field names whose values never reach a log, wherever they stand. The one place of redaction. */
const SECRET_PATHS = [
  'authorization',
  'cookie',
  'password',
  'token',
  ...['headers', 'req.headers', 'body', 'params'].flatMap((parent) =>
    ['authorization', 'cookie', 'password', 'token'].map((name) => `${parent}.${name}`),
  ),
]

/** The server's logger: JSON lines, static lower-case messages with fields, secrets replaced by `[redacted]`. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: undefined,
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: { err: stdSerializers.err, req: describeRequest },
  }
  return destination ? pino(options, destination) : pino(options, pino.destination({ dest: 2, sync: false }))
}

interface LoggedRequest {
  method: string
  url: string
  ip: string
}

/** Only what an operator needs: never headers, and the path without its query. */
function describeRequest(request: LoggedRequest): Record<string, string> {
  return { method: request.method, path: request.url.split('?')[0] ?? '', ip: request.ip }
}
