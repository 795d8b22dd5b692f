import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Params } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Applied } from '../applied.ts'

const MAX_RESOURCES = 20_000
const MAX_FINDINGS = 1_000
const MAX_MESSAGE = 4_096
const MAX_COMMANDS = 200
/** As the protocol says it of `CommandResult.output`, characters. */
const MAX_OUTPUT = 64 * 1024
const MAX_PATCHES = 1_000
/** Of all patches of a run together, characters of base64. */
const MAX_PATCH_TEXT = 16 * 1024 * 1024

/** What an apply did, cut to what a database row and a page can hold. Outputs are other stacks' inputs and stay whole. */
export function boundedApplied(applied: Applied): Applied {
  return {
    ...applied,
    resources: applied.resources
      .slice(0, MAX_RESOURCES)
      .map((resource) => (resource.message ? { ...resource, message: short(resource.message) } : resource)),
    findings: applied.findings
      .slice(0, MAX_FINDINGS)
      .map((finding) => ({ ...finding, message: short(finding.message) })),
  }
}

/** Results of `checks:` and `verify:` commands; the end of an output says most. */
export const boundedResults = (results: readonly CommandResult[]): CommandResult[] =>
  results.slice(0, MAX_COMMANDS).map((result) => ({ ...result, output: result.output.slice(-MAX_OUTPUT) }))

type Patches = NonNullable<Params<'plan'>['patches']>

/**
 * Patches of a codify run: only of files that the stack is made of. TOO_LARGE where they are more than a merge request
 * can be read with.
 */
export function boundedPatches(patches: Patches, stackPaths: readonly string[]): Patches {
  const own = patches.filter(({ path }) =>
    stackPaths.some((at) => at === '.' || path === at || path.startsWith(`${at}/`)),
  )
  const size = own.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
  if (own.length <= MAX_PATCHES && size <= MAX_PATCH_TEXT) return own
  throw new TrueupError('TOO_LARGE', {
    doing: 'taking the file patches of a drift check',
    why: `they are ${own.length} files with ${size} characters`,
    next: 'Heal the drift, or codify it by hand.',
  })
}

const short = (text: string): string => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text)
