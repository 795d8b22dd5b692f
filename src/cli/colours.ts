// oxlint-disable-next-line no-control-regex -- counting what a terminal shows means leaving out its escape sequences
const COLOURS = /(\u001b\[[0-9;]*m)/

/** The text with each part between escape sequences of colour given to `change`, and these sequences as they are. */
export const withColoursApart = (text: string, change: (part: string) => string): string =>
  text
    .split(COLOURS)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('')

export const withoutColours = (text: string): string =>
  text
    .split(COLOURS)
    .filter((_, index) => index % 2 === 0)
    .join('')

/** Columns that a terminal needs for it. */
export const visibleLength = (text: string): number => withoutColours(text).length

/** At most `width` characters, the last one an ellipsis where something is left out. */
export const clip = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text
