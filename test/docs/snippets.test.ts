import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/domain/config/parse.ts'

interface Snippet {
  prefix: string
  body: string[]
}

const file = join(import.meta.dirname, '..', '..', 'editors', 'trueup.code-snippets')
const snippets = Object.values(JSON.parse(readFileSync(file, 'utf8')) as { [name: string]: Snippet })

/** What an editor writes when somebody only presses Tab: the default of each place, the first of each choice. */
const written = (body: readonly string[]): string =>
  body
    .join('\n')
    .replace(/\$\{\d+\|([^,|]+)[^|]*\|\}/g, '$1')
    .replace(/\$\{\d+:((?:[^}\\]|\\.)*)\}/g, '$1')
    .replaceAll('$0', '')
    .replaceAll('\\}', '}')

const indented = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by))
const ENVIRONMENTS = 'environments:\n  staging: {}\n'
const STACK = 'stacks:\n  - path: web\n    driver: files\n    with: { target: /srv/web }\n'
const NETWORK = '  - path: network\n    driver: terraform\n'

/** The snippet in a whole file, at the place that it is for. */
function fileWith(prefix: string, text: string): string {
  if (prefix === 'trueup-file') return text
  if (prefix === 'trueup-environment') return `version: 1\nenvironments:\n${indented(text, 2)}${STACK}`
  if (prefix === 'trueup-policy') return `version: 1\n${ENVIRONMENTS}${STACK}policies:\n${indented(text, 2)}`
  if (prefix === 'trueup-input')
    return `version: 1\n${ENVIRONMENTS}stacks:\n${NETWORK}${STACK.slice(8)}${indented(text, 4)}`
  return `version: 1\n${ENVIRONMENTS}stacks:\n${indented(text, 2)}`
}

describe('snippets for editors', () => {
  it.each(snippets.map(({ prefix, body }) => [prefix, written(body)]))(
    '%s is right as it is written',
    (prefix, text) => {
      const config = parseConfig(fileWith(prefix, text))
      expect(config.stacks.length).toBeGreaterThan(0)
    },
  )
})
