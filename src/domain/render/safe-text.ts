/**
 * Characters that change what a reader sees without being seen themselves: control characters (escape sequences of a
 * terminal), and the bidirectional and invisible ones by which text can pose as other text.
 */
const DECEPTIVE = /(?![\t\n])[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** The text with deceptive characters written as `\u001b`. Tabs and newlines stay. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

/** Visible text on one line. */
export function oneLine(text: string): string {
  return visible(text.replace(/\r?\n|\r/g, ' ')).trim()
}

/** At most `limit` characters, with an ellipsis where it was cut; never half of a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 2)) ? limit - 2 : limit - 1
  return `${text.slice(0, end)}…`
}
