import { environmentSegment, isEnvironmentName, suggestedTier } from '../../domain/stacks/environment-names.ts'
import { byPath, type LeftOut } from '../../drivers/proposal.ts'
import { type Entry, nameOf, withNames } from '../init/entries.ts'
import { type Environment, SHARED, UNNAMED } from '../init/environments.ts'
import { scalar } from '../init/manifests.ts'
import type { Draft } from '../init/text.ts'
import type { Imported, Project, Tool } from './imported.ts'

/** A project where it belongs. */
interface Placed extends Project {
  environmentName: string
}

/** The trueup.yaml that says what the other tools' configurations say, as far as it can be said. */
export function draftOf(all: readonly Imported[]): Draft {
  const { projects, twice } = once(all)
  const named = projects.map((one) => ownEnvironment(one))
  const fallback = named.some((name) => name !== null) ? SHARED : UNNAMED
  const placed = projects
    .map((one, index): Placed => ({ ...one, environmentName: named[index] ?? fallback }))
    .toSorted(byPath)
  const names = [...new Set(placed.map(({ environmentName }) => environmentName))].toSorted()
  const [rule] = all.flatMap(({ drift }) => drift ?? [])
  const environments = (names.length === 0 ? [UNNAMED] : names).map((name): Environment => {
    const asked = placed.flatMap((one) => (one.environmentName === name ? (one.approvals ?? []) : []))
    return {
      name,
      tier:
        name === SHARED && names.some((each) => suggestedTier(each) === 'production')
          ? 'production'
          : suggestedTier(name),
      ...(asked.length > 0 && { approvals: Math.max(...asked) }),
      ...(rule !== undefined && { drift: rule }),
    }
  })
  const bare = placed.map((one) => entryOf(one, names))
  const entries = withNames(bare, names)
  const noEqual: LeftOut[] = [...twice, ...all.flatMap((one) => one.noEqual)]
  const withNeeds = entries.map((entry, index) => {
    const { needs, lost } = needsOf(placed, index, entries)
    for (const other of lost)
      noEqual.push({
        path: entry.path,
        why: `it comes after ${other}, which is in another environment: promote the change instead`,
      })
    return needs.length === 0 ? entry : { ...entry, needs }
  })
  return { environments, entries: withNeeds, leftOut: [], noEqual, deployedBy: [] }
}

/** Projects without those that an earlier tool has as well: two stacks would have the same state. */
function once(all: readonly Imported[]): { projects: Project[]; twice: LeftOut[] } {
  const seen = new Map<string, Tool>()
  const projects: Project[] = []
  const twice: LeftOut[] = []
  for (const { tool, projects: own } of all)
    for (const one of own) {
      const key = [one.path, scalar(one.with['workspace']) ?? '', one.environment ?? ''].join('\0')
      const first = seen.get(key)
      if (first === undefined || first === tool) projects.push(one)
      else
        twice.push({
          path: one.path,
          why: `${tool} has it, too: ${first} is followed, \`--from ${tool}\` would follow the other`,
        })
      if (first === undefined) seen.set(key, tool)
    }
  return { projects, twice }
}

/** The environment that a project names: itself, by its workspace, its directory or its name. */
function ownEnvironment({ environment, with: settings, path, name }: Project): string | null {
  const workspace = settings['workspace']
  const [own] = [
    environment,
    typeof workspace === 'string' && isEnvironmentName(workspace) ? workspace : undefined,
  ].filter((each) => each !== undefined)
  const found =
    own ??
    environmentSegment(path)?.name ??
    (name === undefined ? undefined : environmentSegment(`projects/${name}`)?.name)
  return found !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(found) ? found : null
}

function entryOf(one: Placed, names: readonly string[]): Entry {
  const { path, driver, name, with: settings, watch, toolVersion, why, danger } = one
  return {
    path,
    driver,
    ...(name !== undefined && { name }),
    ...(names.length > 1 && { environments: [one.environmentName] }),
    ...(watch.length > 0 && { watch }),
    ...(toolVersion !== undefined && driver !== 'command' && { toolVersion }),
    ...(Object.keys(settings).length > 0 && { with: settings }),
    why,
    confidence: 'sure',
    inactive: danger ?? null,
  }
}

/** Names of stacks that come before the one at `index`, and of projects that do so elsewhere. */
function needsOf(
  placed: readonly Placed[],
  index: number,
  entries: readonly Entry[],
): { needs: string[]; lost: string[] } {
  const one = placed[index]!
  const needs = new Set<string>()
  const lost: string[] = []
  for (const wanted of one.needs) {
    const there = placed.flatMap((other, at) =>
      other.name === wanted || other.path === wanted ? [{ other, entry: entries[at]! }] : [],
    )
    const here = there.find(({ other }) => other.environmentName === one.environmentName)
    if (here !== undefined) needs.add(nameOf(here.entry))
    else lost.push(wanted)
  }
  const before = placed.flatMap((other, at) => {
    const isBefore = one.group !== undefined && (other.group ?? 0) < one.group
    return isBefore && other.environmentName === one.environmentName
      ? [{ group: other.group ?? 0, entry: entries[at]! }]
      : []
  })
  const last = Math.max(...before.map(({ group }) => group))
  for (const { group, entry } of before) if (group === last) needs.add(nameOf(entry))
  return { needs: [...needs].toSorted(), lost }
}
