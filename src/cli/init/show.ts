import type { Layout } from '../output.ts'
import type { Entry } from './entries.ts'
import type { Draft } from './text.ts'

/** Those left out that are told without being asked for. */
const FEW = 10

/** The draft for people: what is proposed, what waits for them, what was left out. */
export function draftText({ entries, environments, leftOut, deployedBy }: Draft, layout: Layout): string {
  const all = environments.map(({ name }) => name)
  const parts: string[] = []
  if (entries.length > 0)
    parts.push(
      layout.table(
        ['#', 'stack', 'driver', 'environments', 'sure', 'why'],
        entries.map((entry, index) => row(entry, index, all)),
      ),
    )
  const waiting = entries.filter(({ inactive }) => inactive !== null)
  if (waiting.length > 0)
    parts.push(
      `Not active until somebody says so:\n${waiting.map((entry) => layout.wrap(`${nameOf(entry)}: ${entry.inactive}`, '  ')).join('\n')}`,
    )
  if (leftOut.length > 0) {
    const shown = leftOut.slice(0, FEW).map(({ path, why }) => layout.wrap(`${path}: ${why}`, '  '))
    const more = leftOut.length - shown.length
    parts.push(
      `Left out:\n${[...shown, ...(more > 0 ? [`  and ${more} more (--output json lists all)`] : [])].join('\n')}`,
    )
  }
  for (const tool of deployedBy)
    parts.push(
      layout.wrap(
        `${tool} deploys from this repository. What it deploys is left to it; to see which stacks would do the same instead: trueup init --print --replace ${FLAG[tool]}`,
      ),
    )
  return parts.join('\n\n')
}

/** What another tool's configuration says and the file does not, in lines; '' where there is nothing. */
export function noEqualText({ noEqual = [] }: Draft, layout: Layout): string {
  if (noEqual.length === 0) return ''
  return `Without an equal here:\n${noEqual.map(({ path, why }) => layout.wrap(`${path}: ${why}`, '  ')).join('\n')}`
}

const FLAG = { Flux: 'flux', 'Argo CD': 'argocd' } as const

function row(entry: Entry, index: number, all: readonly string[]): string[] {
  const sure = entry.inactive === null ? entry.confidence : 'asks'
  return [String(index + 1), nameOf(entry), entry.driver, (entry.environments ?? all).join(', '), sure, entry.why]
}

const nameOf = ({ path, name }: Entry): string => (name === undefined || name === path ? path : `${path} (${name})`)

/** Everything that is known of one path: proposals at, above or below it, and what was left out there. */
export function explanation(draft: Draft, path: string, files: readonly string[], layout: Layout): string {
  const isNear = (other: string): boolean =>
    other === path || path === '.' || other.startsWith(`${path}/`) || path.startsWith(`${other}/`) || other === '.'
  const paths = (entry: Entry): string[] =>
    entry.path.includes('{environment}')
      ? draft.environments.map(({ name }) => entry.path.replace('{environment}', name))
      : [entry.path]
  const lines = [
    ...draft.entries
      .filter((entry) => paths(entry).some(isNear))
      .map(
        (entry) =>
          `${entry.inactive === null ? 'proposed' : 'asks'}  ${nameOf(entry)} (${entry.driver}): ${entry.why}${entry.inactive === null ? '' : `; ${entry.inactive}`}`,
      ),
    ...draft.leftOut.filter((one) => isNear(one.path)).map((one) => `left out  ${one.path}: ${one.why}`),
  ]
  if (lines.length > 0) return lines.map((line) => layout.wrap(line)).join('\n')
  const below = files.filter((file) => file === path || file.startsWith(`${path}/`))
  return below.length === 0
    ? `There is no file ${path} in the repository (or Git ignores it).`
    : layout.wrap(
        `No driver recognised anything of the ${below.length} ${below.length === 1 ? 'file' : 'files'} at ${path}. A stack for it can be written by hand; docs/configuration.md and the pages of the drivers say how.`,
      )
}
