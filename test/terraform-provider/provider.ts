/** A Terraform provider (protocol 6 over go-plugin) with `hostfile_file` and what newer tools know. Started by them. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { deleteFile, FILE_SCHEMA, type HostFile, planFile, PROVIDER_SCHEMA, readFile, writeFile } from './hostfile.ts'
import {
  deleteSealed,
  FUNCTIONS,
  openToken,
  readSealed,
  SEALED_SCHEMA,
  type SealedFile,
  shout,
  TOKEN_SCHEMA,
  writeSealed,
} from './newer.ts'
import { decode, type Dynamic, encode, unknown } from './values.ts'

/** go-plugin gives this to its plugins, so that nobody starts one by hand. Public and fixed. */
const MAGIC_COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2'
const PROTO_OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: false, oneofs: true }

interface Request {
  config?: Dynamic
  current_state?: Dynamic
  prior_state?: Dynamic
  proposed_new_state?: Dynamic
  planned_state?: Dynamic
  raw_state?: { json: Uint8Array }
  private?: Uint8Array
  type_name?: string
  id?: string
  arguments?: Dynamic[]
}
type Handler = (request: Request) => object | Promise<object>

let root = '/'
const stopped = new AbortController()

const handlers: { [method: string]: Handler } = {
  GetProviderSchema: () => ({
    provider: PROVIDER_SCHEMA,
    resource_schemas: { hostfile_file: FILE_SCHEMA, hostfile_sealed: SEALED_SCHEMA },
    ephemeral_resource_schemas: { hostfile_token: TOKEN_SCHEMA },
    functions: FUNCTIONS,
    server_capabilities: { plan_destroy: false, get_provider_schema_optional: true },
  }),
  ValidateProviderConfig: () => ({}),
  ValidateResourceConfig: ({ config }) => {
    const { path } = decode(config) as HostFile
    return typeof path === 'string' && !path.startsWith('/')
      ? { diagnostics: problem('path must be absolute', path) }
      : {}
  },
  UpgradeResourceState: ({ raw_state: raw }) => ({ upgraded_state: encode(decode(raw)) }),
  ConfigureProvider: ({ config }) => {
    const given = decode(config) as { root?: unknown } | null
    if (typeof given?.root === 'string') root = given.root
    return {}
  },
  ReadResource: (request) => ({
    new_state: encode(
      isSealed(request)
        ? readSealed(root, decode(request.current_state) as SealedFile)
        : readFile(root, decode(request.current_state) as HostFile),
    ),
    private: request.private,
  }),
  PlanResourceChange: (request) => {
    const { prior_state: prior, proposed_new_state: proposed } = request
    if (isSealed(request)) return { planned_state: encode(plannedSealed(decode(prior), decode(proposed))) }
    const wanted = decode(proposed) as HostFile | null
    if (wanted === null) return { planned_state: encode(null) }
    const { planned, replace } = planFile(decode(prior) as HostFile | null, wanted)
    return {
      planned_state: encode(planned),
      requires_replace: replace ? [{ steps: [{ attribute_name: 'path' }] }] : [],
    }
  },
  ApplyResourceChange: applyChange,
  ImportResourceState: ({ id, type_name: typeName }) => {
    const empty: HostFile = {
      id: null,
      path: id ?? '',
      content: '',
      secret: null,
      mode: null,
      sha256: null,
      fail: null,
      delay_ms: null,
    }
    const found = readFile(root, empty)
    if (found === null) return { diagnostics: problem('no such file', id ?? '') }
    return { imported_resources: [{ type_name: typeName, state: encode(found) }] }
  },
  ValidateEphemeralResourceConfig: () => ({}),
  OpenEphemeralResource: () => ({ result: encode(openToken()) }),
  CloseEphemeralResource: () => ({}),
  GetFunctions: () => ({ functions: FUNCTIONS }),
  CallFunction: (request) => ({ result: encode(shout(decode(request.arguments?.[0]) as string)) }),
  StopProvider: () => {
    stopped.abort()
    return {}
  },
}

const isSealed = ({ type_name: typeName }: Request): boolean => typeName === 'hostfile_sealed'

const plannedSealed = (prior: unknown, proposed: unknown): SealedFile | null =>
  proposed === null
    ? null
    : { ...(proposed as SealedFile), token: null, id: prior === null ? unknown : (prior as SealedFile).id }

function applySealed({ prior_state: before, planned_state: after, config }: Request): object {
  const planned = decode(after) as SealedFile | null
  if (planned !== null) return { new_state: encode(writeSealed(root, planned, decode(config) as SealedFile)) }
  deleteSealed(root, decode(before) as SealedFile)
  return { new_state: encode(null) }
}

async function applyChange(request: Request): Promise<object> {
  if (isSealed(request)) return applySealed(request)
  const { prior_state: before, planned_state: after } = request
  const prior = decode(before) as HostFile | null
  const planned = decode(after) as HostFile | null
  try {
    if (planned === null) {
      if (prior !== null) deleteFile(root, prior)
      return { new_state: encode(null) }
    }
    const written = writeFile(root, prior, planned)
    if (typeof planned.delay_ms === 'number') await pause(planned.delay_ms)
    return { new_state: encode(written) }
  } catch (error) {
    return { new_state: encode(prior), diagnostics: problem('the file could not be written', String(error)) }
  }
}

/** Ends early when Terraform tells its providers to stop. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    stopped.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

const problem = (summary: string, detail: string) => [{ severity: 'ERROR', summary, detail }]

function serve(): void {
  if (process.env.TF_PLUGIN_MAGIC_COOKIE !== MAGIC_COOKIE) {
    process.stderr.write('this is a Terraform provider: terraform or tofu starts it\n')
    process.exit(1)
  }
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  server.addService(service('tfplugin6.proto', 'tfplugin6', 'Provider'), unary(handlers))
  server.addService(service('controller.proto', 'plugin', 'GRPCController'), unary({ Shutdown: shutDown }))
  const socket = join(mkdtempSync(join(tmpdir(), 'tfp-')), 's')
  // TLS between the two is off (TF_DISABLE_PLUGIN_TLS=1): they talk over a socket in a private directory.
  server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error
    process.stdout.write(`1|6|unix|${socket}|grpc|\n`)
  })
  // Terraform gets the terminal's SIGINT too and tells its providers itself what to do.
  process.on('SIGINT', () => {})
}

function shutDown(): object {
  setTimeout(() => process.exit(0), 5)
  return {}
}

function service(file: string, packageName: string, name: string): grpc.ServiceDefinition {
  const loaded = loadSync(join(dirname(fileURLToPath(import.meta.url)), file), PROTO_OPTIONS)
  const namespace = grpc.loadPackageDefinition(loaded)[packageName] as grpc.GrpcObject
  return (namespace[name] as grpc.ServiceClientConstructor).service
}

function unary(methods: { [method: string]: Handler }): grpc.UntypedServiceImplementation {
  const call =
    (handler: Handler): grpc.handleUnaryCall<Request, object> =>
    async (incoming, callback) => {
      callback(null, await answerOf(handler, incoming.request))
    }
  return Object.fromEntries(Object.entries(methods).map(([name, handler]) => [name, call(handler)]))
}

async function answerOf(handler: Handler, request: Request): Promise<object> {
  try {
    return await handler(request)
  } catch (error) {
    return { diagnostics: problem('the test provider broke', String(error)) }
  }
}

serve()
