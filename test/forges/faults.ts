import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a double does to requests that fit, so many times; then it is well again. */
export interface Fault {
  /** `GET /api/v1/user`: method and path with its query. */
  on: RegExp
  times: number
  /**
   * `limited`: 429 with Retry-After 0. `bad-gateway`: 502 of a proxy. `cut`: half an answer. `reset`: the connection ends.
   * `gone`: 404. `unheard`: it is done, and the answer is lost.
   */
  as: 'limited' | 'bad-gateway' | 'cut' | 'reset' | 'gone' | 'unheard'
}

/** Serves a request by `work` unless a fault comes first. */
export async function withFaults(
  faults: Fault[],
  request: IncomingMessage,
  response: ServerResponse,
  work: () => Promise<void>,
): Promise<void> {
  const fault = faults.find(({ on, times }) => times > 0 && on.test(`${request.method} ${request.url}`))
  if (!fault) return await work()
  fault.times -= 1
  if (fault.as === 'reset') return void request.socket.destroy()
  if (fault.as === 'gone') return void response.writeHead(404).end('{"message":"gone"}')
  if (fault.as === 'limited') return void response.writeHead(429, { 'retry-after': '0' }).end('{"message":"slow down"}')
  if (fault.as === 'bad-gateway')
    return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502</h1>')
  if (fault.as === 'cut')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end('[{"id": 1, "na')
  // Done for nobody: what is answered goes nowhere.
  const end = response.end.bind(response)
  response.end = (() => {
    request.socket.destroy()
    return response
  }) as typeof response.end
  await work()
  response.end = end
}
