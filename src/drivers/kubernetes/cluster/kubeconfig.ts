import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { ExecConfig, execToken } from './exec-credential.ts'

const text = z.string().nullish()
const Cluster = z.object({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'tls-server-name': text,
})
const User = z.object({
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  exec: ExecConfig.nullish(),
})
const named = <T extends z.ZodType>(key: string, shape: T) =>
  z.array(z.object({ name: z.string(), [key]: shape })).nullish()
const Kubeconfig = z.object({
  clusters: named('cluster', Cluster),
  users: named('user', User.nullish()),
  contexts: named('context', z.object({ cluster: z.string(), user: z.string().nullish(), namespace: text })),
  'current-context': text,
})

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/; one file, its text may stand in KUBECONFIG itself. */
export async function kubeconfigAccess(context: DriverContext<KubernetesConfig>): Promise<ClusterAccess> {
  const { source, directory, content } = await readKubeconfig(context)
  const doing = `reading the kubeconfig ${source}`
  const invalid = (why: string): TrueupError =>
    new TrueupError('CONFIG_INVALID', { doing, why, next: 'Correct the kubeconfig, or `context:` of the stack.' })
  const parsed = Kubeconfig.safeParse(parseQuietly(content))
  if (!parsed.success)
    throw invalid(`it is no kubeconfig: ${parsed.error.issues[0]?.path.join('.')} is not as expected`)
  const { clusters, users, contexts, 'current-context': current } = parsed.data
  const name = context.config.context ?? current
  const find = <T>(
    list: readonly unknown[] | null | undefined,
    wanted: string | null | undefined,
    key: string,
  ): T | null =>
    ((list ?? []) as { name: string; [key: string]: unknown }[]).find((one) => one.name === wanted)?.[key] as T | null
  const chosen = find<{ cluster: string; user?: string; namespace?: string }>(contexts, name, 'context')
  if (!chosen) throw invalid(name ? `it has no context "${name}"` : 'it names no current context')
  const cluster = find<z.infer<typeof Cluster>>(clusters, chosen.cluster, 'cluster')
  if (!cluster) throw invalid(`it has no cluster "${chosen.cluster}"`)
  const user = find<z.infer<typeof User>>(users, chosen.user, 'user') ?? {}
  const at = (path: string): string => (isAbsolute(path) ? path : join(directory, path))
  const pem = async (data: string | null | undefined, file: string | null | undefined): Promise<string | undefined> => {
    if (data) return Buffer.from(data, 'base64').toString()
    if (!file) return undefined
    return readFile(at(file), 'utf8').catch((cause: unknown) => {
      throw invalid(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
    })
  }
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority'])
  const cert = await pem(user['client-certificate-data'], user['client-certificate'])
  const key = await pem(user['client-key-data'], user['client-key'])
  if (user.token) context.mask(user.token)
  if (user.password) context.mask(user.password)
  return {
    server: cluster.server.replace(/\/$/, ''),
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
      ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
    },
    ...(chosen.namespace && { namespace: chosen.namespace }),
    identity: createHash('sha256')
      .update(JSON.stringify([cluster, user, directory]))
      .digest('hex'),
    headers: () => identityHeaders(context, user, at),
  }
}

async function identityHeaders(
  context: DriverContext<unknown>,
  user: Partial<z.infer<typeof User>>,
  at: (path: string) => string,
): Promise<{ [name: string]: string }> {
  if (user.exec) return { authorization: `Bearer ${await execToken(context, user.exec)}` }
  if (user.tokenFile) return { authorization: `Bearer ${(await readFile(at(user.tokenFile), 'utf8')).trim()}` }
  if (user.token) return { authorization: `Bearer ${user.token}` }
  if (!user.username) return {}
  const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')
  return { authorization: `Basic ${basic}` }
}

interface Source {
  /** For messages. */
  source: string
  /** What relative paths in it are relative to. */
  directory: string
  content: string
}

async function readKubeconfig({ config, env, directory }: DriverContext<KubernetesConfig>): Promise<Source> {
  if (config.kubeconfig === undefined && isText(env.KUBECONFIG))
    return { source: 'in the variable KUBECONFIG', directory, content: env.KUBECONFIG }
  const named = config.kubeconfig ?? env.KUBECONFIG?.split(':').find(Boolean)
  if (named === undefined) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'looking for the cluster',
      why: 'the stack names no kubeconfig, KUBECONFIG is not set, and the worker does not run in a cluster',
      next: 'Set `kubeconfig:` in the `with:` block, or set the variable KUBECONFIG (trueup variable set KUBECONFIG) to a path or to the text of one.',
    })
  }
  const path = resolve(directory, named)
  const content = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading the kubeconfig ${named}`,
      why: cause.code === 'ENOENT' ? 'there is no such file on this worker' : cause.message,
      next: 'Correct the path, or put the file onto every worker of the pool.',
    })
  })
  return { source: named, directory: dirname(path), content }
}

/** The text of one and no path: YAML has lines, and JSON may have only one. */
const isText = (value: string | undefined): value is string => value !== undefined && /\n|^\s*\{/.test(value)

function parseQuietly(content: string): unknown {
  try {
    return parse(content)
  } catch {
    return null
  }
}
