import { Document, isSeq, parseDocument } from 'yaml'
import type { Json } from '../../lib/json.ts'
import type { EnvironmentConfig, StackConfig } from './schema.ts'
import { parseConfig } from './parse.ts'

/** A stack entry to be written, with what people should know about it. */
export interface NewStack extends StackConfig {
  /** One line, written above the entry as a comment. */
  comment?: string
}

/**
 * The text of a new `trueup.yaml`, for `trueup init`: read back by `parseConfig`, keys in the order given. Throws CONFIG_INVALID when the parts do not make a configuration.
 */
export function renderConfig(parts: {
  environments: { [name: string]: EnvironmentConfig }
  stacks: readonly NewStack[]
}): string {
  const document = new Document({ version: 1, environments: parts.environments, stacks: [] })
  return finish(document, parts.stacks)
}

/**
 * A `trueup.yaml` with stacks added at the end of `stacks`; everything else, comments too, stays as it is. Throws what
 * `parseConfig` throws, for the text given and for the result.
 */
export function addStacks(text: string, stacks: readonly NewStack[]): string {
  parseConfig(text)
  return finish(parseDocument(text, { version: '1.2', schema: 'core', merge: true }), stacks)
}

function finish(document: Document, stacks: readonly NewStack[]): string {
  const list = document.get('stacks')
  if (!isSeq(list)) throw new TypeError('a configuration without a list of stacks was accepted')
  // `stacks: []` would make the new entries one long line.
  if (stacks.length > 0) list.flow = false
  for (const { comment, ...entry } of stacks) {
    const node = document.createNode(entry as { [key: string]: Json })
    if (comment !== undefined) node.commentBefore = ` ${comment.replaceAll(/\s+/g, ' ').trim()}`
    list.add(node)
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true })
  parseConfig(text)
  return text
}
