import type { JsonObject } from '../../lib/json.ts'
import type { IdentityToken } from './identity.ts'
import type { StackKey } from './stack.ts'
import type { IgnoreRule } from '../plans/ignore-rule.ts'

/** One of the user's `checks:` or `verify:` commands, run by a shell in the stack's directory. */
export interface StackCommand {
  run: string
  /** What people see; the command's first line (at most 60 characters) where none is given. */
  name: string
  timeoutMs: number
}

/** How drift of a stack is found and treated. */
export interface DriftRules {
  mode: 'observe' | 'propose' | 'enforce'
  intervalMs: number
  /** A heal that would delete or replace more resources than this waits for a person; null = no limit. */
  maxDestroys: number | null
}

/** Where an input's value comes from: an output of another stack of the same environment. */
export interface StackInput {
  stack: StackKey
  output: string
}

/**
 * One stack, resolved: every default filled in, every name a full key. Plain JSON (it is stored as such). The order of
 * `needs` is that of the configuration, followed by stacks that only `inputs` name.
 */
export interface StackDefinition {
  key: StackKey
  environment: string
  name: string
  /** Directory from the repository's root, `.` for the root itself. */
  path: string
  driver: string
  /** The `with:` block, not yet checked by the driver's schema. */
  driverConfig: JsonObject
  needs: StackKey[]
  inputs: { [name: string]: StackInput }
  watch: string[]
  ignore: IgnoreRule[]
  unstable: IgnoreRule[]
  checks: StackCommand[]
  verify: StackCommand[]
  onRemove: 'keep' | 'destroy'
  drift: DriftRules
  timeoutMs: number
  /** Semver range. */
  toolVersion?: string
  /** Texts that hold a secret are shown line by line, without it. */
  showSecretDiff?: boolean
  /** Its tools run in a sandbox of the worker: while they plan, or in applies too. */
  sandbox?: 'plan' | 'all'
  /** `host:port` of what they may reach from there. */
  network?: string[]
  /** Tokens by which clouds know its runs, by the variable that holds each. */
  identity?: { [name: string]: IdentityToken }
  /** Files that SOPS has encrypted are decrypted on the worker. */
  sops?: boolean
  /** What people find it by; part of no digest. */
  labels?: { [name: string]: string }
  /** Plain variables of the configuration file (secrets live in the server's store). */
  variables: { [name: string]: string }
  /** Worker pool. */
  pool: string
}

export const DEFAULT_POOL = 'default'
