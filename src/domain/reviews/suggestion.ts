import { TrueupError } from '../../lib/errors/error.ts'

/**
 * A change of lines that a comment proposes in a fence, as GitLab writes it
 * (https://docs.gitlab.com/user/project/merge_requests/reviews/suggestions/): ```` ```suggestion:-N+M ```` takes the place
 * of the line of the comment, N lines before it and M after it; `suggestion` alone of that line.
 */
export interface Suggestion {
  above: number
  below: number
  /** What is to stand there, each line with its line feed; empty: the lines are to go. */
  text: string
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*(.*)$/
const INFO = /^suggestion(?::-(\d{1,4})\+(\d{1,4}))?[ \t]*$/

/** Suggestions of a comment's Markdown, in order. One that stands inside another fence is a quotation. */
export function suggestionsIn(body: string): Suggestion[] {
  const found: Suggestion[] = []
  let fence: { mark: string; suggestion: Suggestion | null } | null = null
  for (const line of body.split(/\r?\n/)) {
    const [, mark = '', info = ''] = FENCE.exec(line) ?? []
    if (fence === null) {
      // CommonMark: the word behind backticks holds none itself, else it is code within a line.
      if (mark === '' || (mark.startsWith('`') && info.includes('`'))) continue
      const [isOne, above = '0', below = '0'] = INFO.exec(info) ?? []
      const suggestion = isOne === undefined ? null : { above: Number(above), below: Number(below), text: '' }
      if (suggestion) found.push(suggestion)
      fence = { mark, suggestion }
    } else if (mark.startsWith(fence.mark) && info.trim() === '') fence = null
    else if (fence.suggestion) fence.suggestion.text += `${line}\n`
  }
  return found
}

/** Lines of a text, each with its line end; the last may have none. */
export const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

/** The lines that a suggestion at a line (from 1) would replace. */
export function replacedLines(text: string, line: number, { above, below }: Suggestion): string {
  return linesOf(text)
    .slice(Math.max(line - 1 - above, 0), line + below)
    .join('')
}

/** The text with the suggestion in place: line ends stay those of the file, and so does a last line without one. */
export function withSuggestion(text: string, line: number, suggestion: Suggestion): string {
  const lines = linesOf(text)
  const [from, to] = [line - 1 - suggestion.above, line + suggestion.below]
  if (from < 0 || to > lines.length) {
    throw new TrueupError('INVALID_REQUEST', {
      doing: 'applying a suggestion',
      why: `it is about the lines ${from + 1} to ${to}, and the file has ${lines.length}`,
      next: 'Ask for one whose lines are there, or make the change by hand.',
    })
  }
  const replaced = lines.slice(from, to)
  const windows = replaced.some((each) => each.endsWith('\r\n'))
  let put = windows ? suggestion.text.replaceAll('\n', '\r\n') : suggestion.text
  if (replaced.at(-1)?.endsWith('\n') === false) put = put.replace(/\r?\n$/, '')
  return [...lines.slice(0, from), put, ...lines.slice(to)].join('')
}
