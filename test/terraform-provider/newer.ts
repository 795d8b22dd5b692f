import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attribute } from './hostfile.ts'
import type { Unknown } from './values.ts'

/**
 * What providers have beside resources since Terraform 1.8 to 1.11 and OpenTofu 1.7 to 1.11: the function `shout`, the
 * ephemeral resource `hostfile_token` and a resource with a write-only attribute, `hostfile_sealed`.
 */
export interface SealedFile {
  path: string
  /** Write-only: null wherever the tool keeps or shows it. */
  token: string | null
  /** What is raised to have the token written again. */
  token_version: number | null
  id: string | Unknown | null
}

export const SEALED_SCHEMA = {
  version: 0,
  block: {
    attributes: [
      attribute('id', 'string', { computed: true }),
      attribute('path', 'string', { required: true }),
      attribute('token', 'string', { optional: true, write_only: true }),
      attribute('token_version', 'number', { optional: true }),
    ],
  },
}
export const TOKEN_SCHEMA = {
  version: 0,
  block: { attributes: [attribute('value', 'string', { computed: true })] },
}
const STRING = Buffer.from('"string"')
export const FUNCTIONS = { shout: { parameters: [{ name: 'text', type: STRING }], return: { type: STRING } } }

export const shout = (text: string): string => `${text.toUpperCase()}!`

/** Another one each time that it is opened, as a vault would give it. */
export const openToken = (): { value: string } => ({ value: `ephemeral-${process.hrtime.bigint()}` })

/** What is there, without the token: nobody can read that back. */
export const readSealed = (root: string, state: SealedFile): SealedFile | null =>
  existsSync(join(root, state.path)) ? { ...state, token: null } : null

/** The token comes with the configuration of the apply and with nothing else. */
export function writeSealed(root: string, planned: SealedFile, config: SealedFile): SealedFile {
  writeFileSync(join(root, planned.path), config.token ?? '')
  return { ...planned, id: planned.path, token: null }
}

export function deleteSealed(root: string, { path }: SealedFile): void {
  rmSync(join(root, path), { force: true })
}
