import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { TrueupError } from '../lib/errors/error.ts'

/** What `trueup login` keeps for the next command. */
const StoredLogin = z.object({ url: z.url(), token: z.string() })
export type StoredLogin = z.infer<typeof StoredLogin>

/** What a running server writes into its data directory, for commands on the same machine. */
export const ServerFile = z.object({ url: z.url(), pid: z.number(), version: z.string(), startedAt: z.number() })
export type ServerFile = z.infer<typeof ServerFile>

export interface Connection {
  url: string
  token: string | null
  /** Where the token came from, for messages. */
  source: 'environment' | 'login' | 'data directory' | 'none'
}

/** `--data`, TRUEUP_DATA, `$XDG_DATA_HOME/trueup`, `~/.local/share/trueup`, in this order. */
export function dataDirectory(env: NodeJS.ProcessEnv, option?: string): string {
  if (option) return option
  if (env.TRUEUP_DATA) return env.TRUEUP_DATA
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'trueup')
}

export function loginFile(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'trueup', 'config.json')
}

/**
 * Finds the server and the token. The address: `--url`, TRUEUP_URL, the stored login, the server of the local data
 * directory, http://127.0.0.1:7420. A token is used only for the server that it was stored for, so that a mistyped or
 * hostile TRUEUP_URL never receives it; TRUEUP_TOKEN goes wherever the caller points.
 */
export function findConnection(env: NodeJS.ProcessEnv, options: { url?: string; data?: string } = {}): Connection {
  const login = readLogin(env)
  const data = dataDirectory(env, options.data)
  const local = readLocalServer(data)
  const stated = options.url ?? (env.TRUEUP_URL || undefined)
  const url = normaliseUrl(
    stated ?? (options.data ? local?.url : undefined) ?? login?.url ?? local?.url ?? 'http://127.0.0.1:7420',
  )
  if (env.TRUEUP_TOKEN) return { url, token: env.TRUEUP_TOKEN, source: 'environment' }
  if (login && normaliseUrl(login.url) === url) return { url, token: login.token, source: 'login' }
  const adminToken = local && normaliseUrl(local.url) === url ? readText(join(data, 'admin.token')) : null
  if (adminToken) return { url, token: adminToken.trim(), source: 'data directory' }
  return { url, token: null, source: 'none' }
}

export function readLogin(env: NodeJS.ProcessEnv): StoredLogin | null {
  const file = loginFile(env)
  const text = readText(file)
  if (text === null) return null
  const parsed = StoredLogin.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new TrueupError('INVALID_REQUEST', {
    doing: `reading the stored login ${file}`,
    why: 'it is not what `trueup login` writes',
    next: 'Remove the file and run `trueup login` again.',
  })
}

/** Replaces the stored login in one step; readable by its owner only. */
export function writeLogin(env: NodeJS.ProcessEnv, login: StoredLogin): string {
  const file = loginFile(env)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return file
}

export function removeLogin(env: NodeJS.ProcessEnv): void {
  rmSync(loginFile(env), { force: true })
}

export function readLocalServer(dataDir: string): ServerFile | null {
  const text = readText(join(dataDir, 'server.json'))
  if (text === null) return null
  const parsed = ServerFile.safeParse(parseJson(text))
  return parsed.success ? parsed.data : null
}

function normaliseUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new TrueupError('INVALID_REQUEST', {
      doing: 'finding the server',
      why: `"${url}" is not an http or https address`,
      next: 'Set TRUEUP_URL to the address that `trueup up` printed, like http://127.0.0.1:7420.',
    })
  }
  return url.replace(/\/+$/, '')
}

/** The file's text, or null where it does not exist or may not be read. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
