import { coerce, satisfies, valid, validRange } from 'semver'
import { TrueupError } from '../../lib/errors/error.ts'

/**
 * Holds a tool's version against the range that the stack asks for, if it does.
 * @throws TOOL_VERSION when it is outside; CONFIG_INVALID when the range is none.
 */
export function checkVersion(tool: { name: string; path?: string; version: string }, wanted: string | undefined): void {
  if (wanted === undefined) return
  const doing = `choosing the version of ${tool.name}`
  if (validRange(wanted) === null) {
    throw new TrueupError('CONFIG_INVALID', {
      doing,
      why: `toolVersion "${wanted}" is not a version range`,
      next: 'Write it as npm does: ">=1.6 <2", "~1.9", "1.11.4".',
    })
  }
  const version = valid(tool.version) ?? coerce(tool.version)?.version
  if (version !== undefined && satisfies(version, wanted, { includePrerelease: true })) return
  throw new TrueupError('TOOL_VERSION', {
    doing,
    why: `${tool.path ?? 'this worker'} has ${tool.version || 'none'}, the stack wants ${wanted}`,
    details: { tool: tool.name, version: tool.version, wanted },
  })
}
