import { posix } from 'node:path'
import semver from 'semver'
import type { Deed } from '../../../domain/origins/deeds.ts'
import type { FilePatch, UndoRequest } from '../../driver.ts'
import { withoutKeys } from '../plan/addresses.ts'
import { type ModuleSource, readModule, sourceFiles } from '../source/blocks.ts'

/** Blocks came with these versions (https://developer.hashicorp.com/terraform/language/block/removed, https://opentofu.org/docs/intro/whats-new/). */
const SINCE = {
  removed: { terraform: '1.7.0', tofu: '1.7.0' },
  import: { terraform: '1.5.0', tofu: '1.6.0' },
  moved: { terraform: '1.1.0', tofu: '1.6.0' },
} as const

/**
 * Blocks that take a change back without destroying what it had not made: what was imported is let go of by `removed`, what
 * was moved is moved back, and what was let go of is imported again where its id is known. What cannot be written so (one
 * instance of several, a module's inside, an older tool) is left: its deletion then waits for a person.
 */
export async function undo({ read, list, path, deeds, toolVersions, change }: UndoRequest): Promise<FilePatch[]> {
  const source = await readModule(await sourceFiles(read, list, path))
  if (source.broken.length > 0) return []
  const can = (block: keyof typeof SINCE): boolean =>
    (['terraform', 'tofu'] as const).some((tool) => {
      const version = semver.coerce(toolVersions[tool])
      return version !== null && semver.gte(version, SINCE[block][tool])
    })
  const blocks = [
    ...(can('moved') ? movesBack(source, deeds) : []),
    ...(can('removed') ? lettingGo(source, deeds) : []),
    ...(can('import') ? importsAgain(source, deeds) : []),
  ]
  if (blocks.length === 0) return []
  const text = [...header(change), ...new Set(blocks)].join('\n\n')
  return [{ path: posix.join(path, `rollback_${change.slice(0, 10)}.tf`), content: Buffer.from(`${text}\n`) }]
}

const header = (change: string): string[] => [
  `# Written by Trueup with the rollback of ${change.slice(0, 10)}: what that change imported, moved or let go of is not\n# destroyed or made twice. The file may go once this has been deployed.`,
]

/** Root resources are known by name; of a module only whether the root still calls it. */
function isDeclared({ resources, modules }: ModuleSource, address: string): boolean | 'unknown' {
  const plain = withoutKeys(address)
  const call = /^module\.([^.]+)\./.exec(plain)
  if (call) return modules.some(({ name }) => name === call[1]) ? 'unknown' : false
  return resources.some(({ type, name }) => `${type}.${name}` === plain)
}

/** Moves of the change, newest first, each back to where it came from. */
function movesBack(source: ModuleSource, deeds: readonly Deed[]): string[] {
  return deeds
    .filter((deed): deed is Deed & { from: string } => deed.did === 'moved' && deed.from !== undefined)
    .toReversed()
    .flatMap(({ address, from }) => {
      const sameResource = withoutKeys(address) === withoutKeys(from)
      if (isDeclared(source, from) === false || (!sameResource && isDeclared(source, address) === true)) return []
      // Between an instance without a key and the one with the number 0 the tools move by themselves.
      if (sameResource && [address, from].every((one) => !one.endsWith('"]'))) return []
      const [now, then] = shortest(address, from)
      const isWritten = source.moves.some(
        (move) => (move.from === now && move.to === then) || (move.from === then && move.to === now),
      )
      return isWritten ? [] : [`moved {\n  from = ${now}\n  to   = ${then}\n}`]
    })
}

/** Of a module that was renamed each resource was moved: it goes back as a whole. */
function shortest(address: string, from: string): [string, string] {
  const [, module, rest] = MODULE.exec(address) ?? []
  const [, formerModule, formerRest] = MODULE.exec(from) ?? []
  if (module === undefined || formerModule === undefined || rest !== formerRest) return [address, from]
  return [module, formerModule]
}

const MODULE = /^(module\.[^.[]+(?:\["(?:[^"\\]|\\.)*"\]|\[\d+\])?)\.(.+)$/

function lettingGo(source: ModuleSource, deeds: readonly Deed[]): string[] {
  const bases = new Set(deeds.filter(({ did }) => did === 'adopted').map(({ address }) => withoutKeys(address)))
  return [...bases].flatMap((base) => {
    if (isDeclared(source, base) !== false || source.removed.includes(base)) return []
    // The block lets go of every instance: one that the change made would be left behind.
    const instances = deeds.filter(({ address }) => withoutKeys(address) === base)
    if (instances.some(({ did }) => did !== 'adopted')) return []
    return [`removed {\n  from = ${base}\n  lifecycle {\n    destroy = false\n  }\n}`]
  })
}

function importsAgain(source: ModuleSource, deeds: readonly Deed[]): string[] {
  return deeds
    .filter(({ did }) => did === 'forgot')
    .flatMap(({ address, importId }) => {
      if (importId === undefined || isDeclared(source, address) !== true) return []
      if (source.imports.includes(address)) return []
      return [`import {\n  to = ${address}\n  id = ${quoted(importId)}\n}`]
    })
}

/** Templates mean something in HCL strings. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll('${', '$${').replaceAll('%{', '%%{')
