import { cut, oneLine, visible } from './safe-text.ts'

/**
 * Text from tools, branches and people as inert Markdown on one line: no markup, no HTML, no mention, no reference
 * to an issue, no quick action of a forge. (A mention is broken by an invisible character after the `@`, because forges
 * look for mentions after they have resolved escapes.)
 */
export function inert(text: string, limit = 500): string {
  return entities(unlinked(cut(oneLine(text), limit)))
    .replace(/[\\`*_[\]#!|~$]/g, (character) => `\\${character}`)
    .replace(/^[-+]/, (character) => `\\${character}`)
}

/**
 * The same inside a block of HTML, where a backslash would be shown. Character references are text in HTML and in
 * Markdown alike, so it does not matter which of them a forge takes the line for.
 */
export function inertHtml(text: string, limit = 500): string {
  return entities(unlinked(cut(oneLine(text), limit))).replace(
    /[\\`*_[\]!|~$]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  )
}

const ENTITIES: { readonly [character: string]: string } = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }
const entities = (text: string): string => text.replace(/[<>&"]/g, (character) => ENTITIES[character] ?? '')

/** Without what forges turn into mentions, links and quick actions. */
const unlinked = (text: string): string =>
  text
    .replace(/@|[#!](?=\d)/g, (character) => `${character}\u200b`)
    .replace(/:\/\//g, ':\u200b//')
    .replace(/(^|\s)\//g, '$1\u200b/')
    .replace(/www\./gi, (match) => `${match.slice(0, 3)}\u200b.`)

/** Lines in a fenced block whose fence is longer than any run of backticks in them. */
export function fenced(lines: readonly string[], language: string): string {
  const fence = '`'.repeat(fenceLength(lines))
  return `${fence}${language}\n${lines.map(visible).join('\n')}\n${fence}`
}

export function fenceLength(lines: readonly string[]): number {
  let longest = 2
  for (const line of lines) {
    for (const run of line.match(/`+/g) ?? []) longest = Math.max(longest, run.length)
  }
  return longest + 1
}

/** A link whose text is inert; only the text where the address is none that a browser may follow. */
export function link(text: string, url: string | undefined): string {
  if (url === undefined || !/^https?:\/\/[^\s<>()"'`\\]+$/.test(url)) return inert(text)
  return `[${inert(text)}](${url})`
}
