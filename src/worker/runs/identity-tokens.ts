import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Workspace } from '../workspace.ts'
import type { Masker } from './masking.ts'

/**
 * Puts the tokens of a phase where its tools find them: each in a variable and in a file beside the tree, which sandboxes
 * show and nothing else does. Those of the phase before are taken away. Answers with the variables.
 */
export async function handOver(
  { root }: Pick<Workspace, 'root'>,
  tokens: { [name: string]: string },
  masker: Pick<Masker, 'add'>,
): Promise<{ [name: string]: string }> {
  const directory = join(root, 'identity')
  await rm(directory, { recursive: true, force: true })
  const entries = Object.entries(tokens)
  if (entries.length === 0) return {}
  await mkdir(directory, { mode: 0o700 })
  const files = entries.map(async ([name, token]) => {
    masker.add(token)
    const file = join(directory, name)
    await writeFile(file, token, { mode: 0o600, flag: 'wx' })
    return { [name]: token, [`${name}_FILE`]: file }
  })
  return Object.assign({}, ...(await Promise.all(files))) as { [name: string]: string }
}
