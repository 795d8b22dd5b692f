import { posix } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { ErrorCode } from '../../../lib/errors/table.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'

/** A warning or an error of the tool, only the fields used. The snippet is left out: it quotes values. */
export const Diagnostic = z.object({
  severity: z.enum(['error', 'warning']),
  summary: z.string(),
  detail: z.string().default(''),
  address: z.string().optional(),
  range: z.object({ filename: z.string(), start: z.object({ line: z.number() }) }).optional(),
})
export type Diagnostic = z.infer<typeof Diagnostic>

/** A diagnostic for the run's log. */
export function diagnosticLines(diagnostic: Diagnostic): string[] {
  const place = diagnostic.range ? ` (${diagnostic.range.filename}:${diagnostic.range.start.line})` : ''
  const head = `${diagnostic.severity === 'error' ? 'Error' : 'Warning'}: ${diagnostic.summary}${place}`
  return [
    head,
    ...diagnostic.detail
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => `  ${line}`),
  ]
}

/** A diagnostic as a finding; `path` is relative to the repository's root, as `stackPath` is. */
export function findingOf(diagnostic: Diagnostic, stackPath: string): Finding {
  const { range, summary, detail } = diagnostic
  return {
    severity: diagnostic.severity,
    message: detail === '' ? summary : `${summary}: ${detail.replace(/\s+/g, ' ').trim()}`,
    ...(range && { path: posix.normalize(posix.join(stackPath, range.filename)), line: range.start.line }),
  }
}

/**
 * The tool has no codes, only English summaries, the same in Terraform and OpenTofu. What is not recognised here stays
 * TOOL_FAILED (or SOURCE_INVALID where it points into the source), so a changed wording costs precision, not truth.
 */
const KNOWN: { pattern: RegExp; code: ErrorCode; next?: string }[] = [
  // The state backend's own answers: the server has no room, or is not there. Nobody holds a lock then.
  { pattern: /unexpected HTTP response code:? 507|no space left on device/i, code: 'NO_ROOM' },
  { pattern: /error acquiring the state lock[^]*unexpected HTTP response code:? 5\d\d/i, code: 'UNAVAILABLE' },
  { pattern: /error acquiring the state lock/i, code: 'STATE_LOCKED' },
  { pattern: /saved plan is stale|saved plan does not match/i, code: 'PLAN_STALE' },
  {
    pattern: /approval for state migration/i,
    code: 'SOURCE_INVALID',
    next: 'The repository holds a terraform.tfstate, which is no state any more once Trueup applies. Store it with `terraform state push` (docs/drivers/terraform.md) and remove it from Git; only remove it where nothing of it exists.',
  },
  {
    pattern: /unreadable module directory/i,
    code: 'SOURCE_INVALID',
    next: 'Correct the `source` of the module: a local one names a directory of the repository, and what Git ignores is not there.',
  },
  {
    pattern: /no value for required variable/i,
    code: 'SOURCE_INVALID',
    next: 'Give it a value: `with.variables`, `with.varFiles` or `inputs` of the stack, or `trueup variable set TF_VAR_NAME` for a secret. For `trueup plan` on this machine, TF_VAR_NAME in its environment.',
  },
  {
    pattern: /checksums (previously )?recorded in the dependency lock file|cached package .* does not match/i,
    code: 'SOURCE_INVALID',
    next: "Where .terraform.lock.hcl was made on another platform, add the worker's: `terraform providers lock -platform=linux_amd64 -platform=darwin_arm64` (or `tofu providers lock`), and commit it. Else the provider is not the one that was locked.",
  },
  {
    pattern: /query available provider packages|could not connect to registry|no available releases match/i,
    code: 'TOOL_FAILED',
    next: 'Let the worker reach the provider registry, or give it a provider mirror (TF_PLUGIN_MIRROR or TF_CLI_CONFIG_FILE on the worker, or `pluginDir` in the stack).',
  },
  {
    pattern: /accessing remote module registry|(could not|failed to) download module/i,
    code: 'TOOL_FAILED',
    next: 'Check address and version of the module, and that the worker can reach where it comes from.',
  },
  {
    pattern: /current state contains no (resource|module)|does not match anything in the current state/i,
    code: 'NOT_FOUND',
    next: '`trueup state list` shows what is in the state.',
  },
  {
    pattern: /unsupported terraform core version|unsupported opentofu core version/i,
    code: 'TOOL_VERSION',
  },
]
/** What a provider's HTTP client says when there is nobody to talk to. */
const UNREACHABLE = /connection refused|no such host|i\/o timeout|TLS handshake timeout|network is unreachable/i
const WANTS_INIT = /run "?(terraform|tofu) init|please run "(terraform|tofu) init|initialization required/i

/** Whether the tool says that its prepared directory does not fit the code (any more). */
export function wantsInit(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(
    ({ severity, summary, detail }) => severity === 'error' && WANTS_INIT.test(`${summary} ${detail}`),
  )
}

/** The error for a command that ended badly. `stderr` is used where there is no diagnostic. */
export function toolError(doing: string, result: ProcessResult, diagnostics: readonly Diagnostic[]): TrueupError {
  if (result.canceled) return new TrueupError('CANCELED', { doing, why: 'the run was canceled' })
  if (result.timedOut) {
    return new TrueupError('TIMED_OUT', { doing, why: `it took longer than ${Math.round(result.durationMs / 1000)} s` })
  }
  const errors = (diagnostics.length > 0 ? diagnostics : plainDiagnostics(result)).filter(
    ({ severity }) => severity === 'error',
  )
  // A general one often comes before the one that names the place.
  const first =
    errors.find(({ range, address }) => range !== undefined && address === undefined) ??
    errors.find(({ detail }) => / for module "[^"]+" at /.test(detail)) ??
    errors[0]
  if (first === undefined) return classified(doing, `it ended with ${ending(result)} and said nothing`, undefined)
  const range = first.address === undefined ? first.range : undefined
  const place = range === undefined ? '' : `${range.filename}:${range.start.line}: `
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see the log)` : ''
  const detail = first.detail === '' ? '' : `: ${first.detail.replace(/\s+/g, ' ').trim()}`
  return classified(doing, `${place}${first.summary}${detail}${more}`, range)
}

const ending = (result: ProcessResult): string => result.signal ?? `exit code ${result.exitCode}`

function classified(doing: string, text: string, range: Diagnostic['range']): TrueupError {
  const why = text.slice(0, 4000)
  const known = KNOWN.find(({ pattern }) => pattern.test(why))
  const other = UNREACHABLE.test(why) ? 'TARGET_UNREACHABLE' : range !== undefined ? 'SOURCE_INVALID' : 'TOOL_FAILED'
  return new TrueupError(known?.code ?? other, {
    doing,
    why,
    ...(known?.next !== undefined && { next: known.next }),
    ...(range !== undefined && { details: { file: range.filename, line: range.start.line } }),
  })
}

/**
 * The errors of a command that has no `-json` (`init`, until Terraform 1.9): a frame, `Error: SUMMARY`, a place with the
 * quoted source, then the detail.
 */
export function plainDiagnostics(result: ProcessResult): Diagnostic[] {
  const text = (result.stderr.trim() === '' ? result.stdout : result.stderr)
    .split('\n')
    .map((line) => line.replace(/^[│╷╵]\s?/, '').trimEnd())
    .join('\n')
  const blocks = text.split(/^Error: /m).slice(1)
  if (blocks.length === 0 && text.trim() !== '') {
    return [{ severity: 'error', summary: text.trim().split('\n').slice(-5).join(' '), detail: '' }]
  }
  return blocks.map((block) => {
    const [summary = '', ...lines] = block.split('\n')
    const place = /^\s*on (\S+) line (\d+)/m.exec(block)
    const detail = lines.filter((line) => line !== '' && !/^\s*(on \S+ line \d+|\d+:)/.test(line)).join('\n')
    const range = place === null ? {} : { range: { filename: place[1] ?? '', start: { line: Number(place[2]) } } }
    return { severity: 'error', summary, detail, ...range }
  })
}
