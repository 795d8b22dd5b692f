import { posix } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { ListFiles, ReadFile } from '../../driver.ts'

/** What hiera-eyaml would decrypt in a stack's data, and how. */
export interface Encrypted {
  /** `ENC[PKCS7,…]`, each once, without white space inside. */
  tokens: string[]
  /** `options` of each level of a hiera.yaml that decrypts: where its keys are. */
  options: { [name: string]: string }[]
}

const Options = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish()
const Level = z.looseObject({ options: Options.catch(null) })
const Hiera = z.looseObject({
  defaults: Level.nullish().catch(null),
  hierarchy: z.array(Level.catch({})).nullish().catch(null),
})

/** As hiera-eyaml finds them in a value (parser/encrypted_tokens.rb); those that go over several lines hold line breaks. */
const TOKEN = /ENC\[(?:\w+,)?[A-Za-z0-9+/=\s]+\]/g

/**
 * Looks through the data files below these paths, and every hiera.yaml among them (those of modules too); `hiera`: the
 * stack's, by whatever name.
 */
export async function encryptedIn(
  paths: readonly string[],
  hiera: string | null,
  { list, read }: { list: ListFiles; read: ReadFile },
): Promise<Encrypted> {
  const files = await Promise.all(paths.map(async (path) => [path, ...(await list(path))]))
  const tokens = new Set<string>()
  const options = new Map<string, { [name: string]: string }>()
  for (const file of new Set(files.flat().filter((path) => /\.e?ya?ml$/.test(path)))) {
    const text = (await read(file))?.toString('utf8') ?? ''
    for (const [token] of text.matchAll(TOKEN)) tokens.add(token.replaceAll(/\s/g, ''))
    if (file === hiera || posix.basename(file) === 'hiera.yaml')
      for (const one of optionsIn(text)) options.set(JSON.stringify(one), one)
  }
  return { tokens: [...tokens], options: [...options.values()] }
}

function optionsIn(text: string): { [name: string]: string }[] {
  const { defaults, hierarchy } = Hiera.safeParse(safely(text)).data ?? {}
  return [defaults, ...(hierarchy ?? [])].flatMap((level) => (level?.options ? [level.options] : []))
}

function safely(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
