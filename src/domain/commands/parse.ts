import { fromMarkdown } from 'mdast-util-from-markdown'
import { globProblem } from '../glob.ts'

/** What people may write on a merge request of a forge, at the beginning of a line: `/trueup VERB`. */
export const VERBS = ['plan', 'approve', 'apply', 'heal', 'drift', 'rollback', 'retry', 'unlock', 'help'] as const
export type Verb = (typeof VERBS)[number]

export interface CommentCommand {
  verb: Verb
  /** Patterns for `NAME` or `ENVIRONMENT/NAME`; empty: every stack of the merge request. */
  stacks: string[]
  /** Patterns for environments; empty: all. */
  environments: string[]
  reason: string | null
  /** As it was written. */
  text: string
}

/** A line that is meant as a command, and what is wrong with it. */
export interface BadCommand {
  text: string
  why: string
}

/** Longer comments command nothing: reading Markdown takes time that grows with it. */
const MAX_COMMENT = 20_000
/** Commands of one comment, and patterns of one command. */
const MAX_COMMANDS = 5
const MAX_PATTERNS = 20
const MAX_REASON = 500

/**
 * The commands of a comment in the order in which they stand. Only what a person says counts: a line of a paragraph that
 * is in no quote, list, code, HTML or comment of HTML.
 */
export function commandsIn(comment: string): (CommentCommand | BadCommand)[] {
  if (comment.length > MAX_COMMENT || !comment.includes('/trueup')) return []
  const lines = saidIn(withoutQuotes(comment)).filter((line) => /^\/trueup(?:\s|$)/.test(line))
  if (lines.length <= MAX_COMMANDS) return lines.map(commandOf)
  return [{ text: `${lines.length} commands`, why: `one comment takes ${MAX_COMMANDS} commands` }]
}

/** GitLab quotes what stands between two lines of `>>>`, which plain Markdown does not know. */
function withoutQuotes(comment: string): string {
  let quoted = false
  const lines = comment.split(/\r\n|\n|\r/).map((line) => {
    const isFence = /^>{3,}[ \t]*$/.test(line)
    if (isFence) quoted = !quoted
    return isFence || quoted ? '>' : line
  })
  return lines.join('\n')
}

/** Lines of paragraphs, each from its first character: those that begin inside of code or markup are left out. */
function saidIn(comment: string): string[] {
  return fromMarkdown(comment).children.flatMap((block) => {
    if (block.type !== 'paragraph') return []
    const { children, position } = block
    const [start = 0, end = 0] = [position?.start.offset, position?.end.offset]
    const texts = children.filter(({ type }) => type === 'text').map((child) => child.position!)
    let at = start
    return comment
      .slice(start, end)
      .split('\n')
      .flatMap((line) => {
        const first = at + line.search(/\S|$/)
        at += line.length + 1
        const isSaid = texts.some((text) => text.start.offset! <= first && first < text.end.offset!)
        return isSaid ? [line.trim()] : []
      })
  })
}

function commandOf(line: string): CommentCommand | BadCommand {
  const [, words = '', given] = /^\/trueup\b(.*?)(?:\s--reason[=\s]\s*(.*))?$/.exec(line) ?? []
  const [verb = 'help', ...rest] = words.split(/\s+/).filter((word) => word !== '')
  const text = line.slice(0, 200)
  const known = VERBS.find((each) => each === verb.toLowerCase())
  if (!known) return { text, why: `there is no such command; \`/trueup help\` names them` }
  const command: CommentCommand = { verb: known, stacks: [], environments: [], reason: reasonOf(given), text }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, option, value] = /^(-e|--env|--environment)(?:=(.*))?$/.exec(word) ?? []
    const pattern = option === undefined ? word : (value ?? rest.shift())
    if (option === undefined && word.startsWith('-')) return { text, why: `it has no option \`${word.slice(0, 40)}\`` }
    if (pattern === undefined || pattern === '') return { text, why: `\`${option}\` names no environment` }
    const problem = globProblem(pattern)
    if (problem !== null) return { text, why: problem }
    ;(option === undefined ? command.stacks : command.environments).push(pattern)
  }
  if (command.stacks.length + command.environments.length > MAX_PATTERNS)
    return { text, why: `it names more than ${MAX_PATTERNS} stacks and environments; use a pattern` }
  return command
}

const reasonOf = (given: string | undefined): string | null => given?.trim().slice(0, MAX_REASON) || null
