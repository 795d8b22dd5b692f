import { relative } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'

/** Where Ansible says an error is: `in '/x/site.yml': line 5, column 3` up to 2.18, `Origin: /x/site.yml:5:3` since 2.19. */
const PLACES = [
  /in '([^'\n]+)': line (\d+), column \d+/,
  /Origin: ([^\n]+?):(\d+):\d+/,
  /in file "([^"\n]+)", line (\d+)/i,
]

/** What Ansible said before it gave up, as a finding with the place, or null where it said nothing of that kind. */
export function sourceFinding(context: DriverContext<unknown>, stderr: string): Finding | null {
  const text = /(?:^|\n)(?:ERROR! |\[ERROR\]: )([\s\S]*)/.exec(stderr)?.[1]
  if (text === undefined) return null
  const place = PLACES.map((pattern) => pattern.exec(text)).find((match) => match !== null)
  const message = messageOf(text).replaceAll(`${context.workspace}/`, '').replaceAll(context.scratch, '<scratch>')
  const path = place && relative(context.workspace, place[1]!)
  return {
    severity: 'error',
    message,
    ...(place && path && !path.startsWith('..') && { path, line: Number(place[2]) }),
  }
}

/** Its first sentence; after an empty line come guesses and the source itself. */
function messageOf(text: string): string {
  const [first = '', second = ''] = text.split(/\n\s*\n/)
  const syntax = /Syntax Error while loading YAML\.\s*([\s\S]*?)(?:\n\s*\n|$)/.exec(text)?.[1]
  if (syntax !== undefined) return `YAML: ${syntax.trim()}`
  return (first.trim() || second.trim()).slice(0, 2_000)
}

/** SOURCE_INVALID with file and line, or null where the error is of another kind. */
export function sourceError(doing: string, context: DriverContext<unknown>, stderr: string): TrueupError | null {
  const finding = sourceFinding(context, stderr)
  if (finding === null || /permission denied|no such file.*python|No space left/i.test(finding.message)) return null
  const { path, line, message } = finding
  const place = path === undefined ? '' : `${path}:${line}: `
  return new TrueupError('SOURCE_INVALID', {
    doing,
    why: `${place}${message}`,
    ...(path !== undefined && line !== undefined && { details: { file: path, line } }),
  })
}
