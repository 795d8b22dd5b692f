import type { KubeObject } from '../objects/object.ts'
import { groupOf, valueAt } from '../objects/object.ts'
import type { Client } from './client.ts'

/** A kind as the API serves it. */
export interface Resource {
  apiVersion: string
  kind: string
  plural: string
  namespaced: boolean
  verbs: readonly string[]
}

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[] }[]
}
interface GroupList {
  groups?: { name: string; preferredVersion: { groupVersion: string }; versions: { groupVersion: string }[] }[]
}

/** What is found stays known this long; a kind that is not found is always looked for again. Milliseconds. */
const LIFE = 10 * 60_000

/**
 * The kinds of one cluster, read group by group as they are needed. Shared by runs, so no run's signal ends a question.
 */
export class Discovery {
  #client: Client
  readonly #versions = new Map<string, { at: number; resources: Promise<Map<string, Resource>> }>()
  #groups: { at: number; versions: Promise<Map<string, string[]>> } | undefined
  #server: Promise<string> | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** The client of the newest run asks: tokens of older ones may have run out. */
  use(client: Client): void {
    this.#client = client
  }

  /** For kinds that are not served any more, though they were found. */
  forget(): void {
    this.#versions.clear()
    this.#groups = undefined
  }

  /** The resource of a kind in exactly this version, or null where the cluster does not have it. */
  async find(apiVersion: string, kind: string): Promise<Resource | null> {
    const known = this.#versions.get(apiVersion)
    const found = known && known.at + LIFE > Date.now() ? (await known.resources).get(kind) : undefined
    if (found) return found
    return (await this.#read(apiVersion)).get(kind) ?? null
  }

  /**
   * The resource of a kind in the version that the cluster prefers of those that have it: all that an inventory knows is the
   * group. Null where no version has it: its objects are gone as well. Throws where a version cannot be looked up, as with
   * an aggregated API whose server is down.
   */
  async inAnyVersion(group: string, kind: string): Promise<Resource | null> {
    for (const version of group === '' ? ['v1'] : await this.#versionsOf(group)) {
      const found = await this.find(version, kind)
      if (found) return found
    }
    return null
  }

  /** Everything that is served, as Helm tells charts of it: `batch/v1` and `batch/v1/CronJob`. What cannot be read is left out. */
  async apiVersions(): Promise<string[]> {
    const groups = await this.#readGroups()
    const versions = ['v1', ...[...groups.values()].flat()]
    const listed = await Promise.all(versions.map(async (version) => [version, await this.#kindsOf(version)] as const))
    return listed.flatMap(([version, kinds]) => [version, ...kinds.map((kind) => `${version}/${kind}`)])
  }

  async #kindsOf(apiVersion: string): Promise<string[]> {
    const known = this.#versions.get(apiVersion)
    const resources = known && known.at + LIFE > Date.now() ? known.resources : this.#read(apiVersion)
    return resources.then(
      (found) => [...found.keys()],
      () => [],
    )
  }

  /** `v1.20.2`. */
  serverVersion(): Promise<string> {
    const call = { doing: 'asking the cluster for its version', path: '/version' }
    this.#server ??= this.#client
      .must<{ gitVersion: string }>(call)
      .then(({ gitVersion }) => gitVersion)
      .catch((error: unknown) => {
        this.#server = undefined
        throw error
      })
    return this.#server
  }

  #read(apiVersion: string): Promise<Map<string, Resource>> {
    const path = groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`
    const call = { doing: `looking up the kinds of ${apiVersion}`, path }
    const resources = this.#client.find<ResourceList>(call).then((list) => resourcesOf(apiVersion, list))
    const entry = { at: Date.now(), resources }
    this.#versions.set(apiVersion, entry)
    resources.catch(() => this.#versions.delete(apiVersion))
    return resources
  }

  /** The preferred one first. A group that is not there is looked for again. */
  async #versionsOf(group: string): Promise<string[]> {
    const known = this.#groups && this.#groups.at + LIFE > Date.now() ? await this.#groups.versions : undefined
    return known?.get(group) ?? (await this.#readGroups()).get(group) ?? []
  }

  #readGroups(): Promise<Map<string, string[]>> {
    const call = { doing: 'looking up the groups of the API', path: '/apis' }
    const versions = this.#client.must<GroupList>(call).then(({ groups }) => new Map((groups ?? []).map(versionsIn)))
    this.#groups = { at: Date.now(), versions }
    versions.catch(() => (this.#groups = undefined))
    return versions
  }
}

function versionsIn({
  name,
  preferredVersion,
  versions,
}: NonNullable<GroupList['groups']>[number]): [string, string[]] {
  const all = versions.map(({ groupVersion }) => groupVersion)
  return [name, [...new Set([preferredVersion.groupVersion, ...all])]]
}

function resourcesOf(apiVersion: string, list: ResourceList | null): Map<string, Resource> {
  const whole = (list?.resources ?? []).filter(({ name }) => !name.includes('/'))
  return new Map(
    whole.map(({ name, kind, namespaced, verbs }) => [kind, { apiVersion, kind, plural: name, namespaced, verbs }]),
  )
}

const known = new Map<string, Discovery>()
const MAX_CLUSTERS = 256

/** What is known of a cluster's kinds in this process. */
export function discoveryOf(client: Client): Discovery {
  const { identity } = client.access
  const discovery = known.get(identity) ?? new Discovery(client)
  discovery.use(client)
  known.delete(identity)
  known.set(identity, discovery)
  if (known.size > MAX_CLUSTERS) known.delete(known.keys().next().value ?? '')
  return discovery
}

/** The resources that a CustomResourceDefinition will bring, for objects that are applied together with it. */
export function resourcesOfDefinition(object: KubeObject): Resource[] {
  if (object.kind !== 'CustomResourceDefinition') return []
  const text = (...path: string[]): string => {
    const value = valueAt(object, 'spec', ...path)
    return typeof value === 'string' ? value : ''
  }
  const listed = valueAt(object, 'spec', 'versions')
  const versions = Array.isArray(listed) ? listed.map((one) => String(valueAt(one, 'name'))) : [text('version')]
  return versions.map((version) => ({
    apiVersion: `${text('group')}/${version}`,
    kind: text('names', 'kind'),
    plural: text('names', 'plural'),
    namespaced: text('scope') === 'Namespaced',
    verbs: [],
  }))
}

/** The path of an object, or of the collection where `name` is absent. */
export function pathOf(resource: Resource, namespace: string, name?: string): string {
  const root = groupOf(resource.apiVersion) === '' ? `/api/${resource.apiVersion}` : `/apis/${resource.apiVersion}`
  const place = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${place}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}
