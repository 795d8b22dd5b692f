import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from 'undici'
import { parseAllDocuments } from 'yaml'

/** The least that can speak with the API server: what floors are made of. */
export interface RawClient {
  call(method: string, path: string, body?: string, contentType?: string): Promise<{ status: number; text: string }>
  /** Lines of a watch, for ever. */
  lines(path: string): AsyncGenerator<string>
}

export const APPLY = 'application/apply-patch+yaml'

export function rawClient(kubeconfig: string): RawClient {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster
  const token: string = config.users[0].user.token
  const common = { connect: { ca: Buffer.from(ca, 'base64').toString() }, allowH2: false }
  const [agent, watches] = [new Agent({ ...common, connections: 64 }), new Agent({ ...common, bodyTimeout: 0 })]
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  return {
    async call(method, path, body, contentType = 'application/json') {
      const answer = await agent.request({
        origin: server,
        path,
        method: method as 'GET',
        headers: { ...headers, 'content-type': contentType },
        ...(body !== undefined && { body }),
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    },
    async *lines(path) {
      const answer = await watches.request({ origin: server, path, method: 'GET', headers })
      let rest = ''
      for await (const chunk of answer.body) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    },
  }
}

/** An apply as it goes over the wire. */
export interface Prepared {
  path: string
  body: string
}

const PLACES: { readonly [kind: string]: string } = {
  ServiceAccount: '/api/v1/namespaces/NS/serviceaccounts',
  ConfigMap: '/api/v1/namespaces/NS/configmaps',
  Service: '/api/v1/namespaces/NS/services',
  Deployment: '/apis/apps/v1/namespaces/NS/deployments',
}

/** All manifests of a directory, ready to be sent: parsing them is not part of a floor. */
export function prepared(directory: string, namespace: string): Prepared[] {
  return readdirSync(directory).flatMap((file) =>
    parseAllDocuments(readFileSync(join(directory, file), 'utf8')).map((document) => {
      const object = document.toJS()
      object.metadata.namespace = namespace
      const place = PLACES[object.kind]?.replace('NS', namespace)
      return { path: `${place}/${object.metadata.name}`, body: JSON.stringify(object) }
    }),
  )
}

/** Applies all, so many at once; ends the process with 1 when one is refused. */
export async function applyAll(
  client: RawClient,
  all: readonly Prepared[],
  atOnce: number,
  dryRun = false,
): Promise<void> {
  const query = `?fieldManager=raw&force=true${dryRun ? '&dryRun=All' : ''}`
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < all.length; at = next++) {
      const { path, body } = all[at]!
      const { status, text } = await client.call('PATCH', path + query, body, APPLY)
      if (status >= 300) throw new Error(`${path}: ${status} ${text.slice(0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
