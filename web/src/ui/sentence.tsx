import { Fragment } from 'react'

/** A sentence of the server, in which what stands between backticks is to be typed. */
export function Sentence({ text }: { text: string }) {
  return text.split(/`([^`\n]+)`/).map((part, at) => (
    // The odd ones were between backticks.
    <Fragment key={at}>{at % 2 === 1 ? <code>{part}</code> : part}</Fragment>
  ))
}
