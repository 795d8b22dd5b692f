import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const program = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'programs', name), 'utf8')

/** One stack that says the secret: what stands in `trueup.yaml`, and its files, whose paths begin in its directory. */
export interface Said {
  name: string
  driver: string
  with: object
  files: { [path: string]: string }
  checks?: string[]
  verify?: string[]
}
