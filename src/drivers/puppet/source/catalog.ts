import { hash } from 'node:crypto'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { IgnoreMatcher } from '../../../domain/plans/ignore.ts'
import type { ManagedFile } from '../../hosts/file-places.ts'
import { digestOf, textOf } from '../../values/text.ts'

const value = z.custom<Json>(() => true)

const CatalogResource = z.looseObject({
  type: z.string(),
  title: z.string(),
  file: z.string().optional(),
  line: z.int().optional(),
  parameters: z.record(z.string(), value).default({}),
  sensitive_parameters: z.array(z.string()).default([]),
})
export type CatalogResource = z.infer<typeof CatalogResource>

/** The compiled catalog as Puppet keeps it (`--catalog_cache_terminus json`); what Trueup does not know is kept. */
const Catalog = z.looseObject({
  name: z.string(),
  resources: z.array(CatalogResource),
  /** What contains what, by reference. */
  edges: z.array(z.looseObject({ source: z.string(), target: z.string() })).optional(),
})
export type Catalog = z.infer<typeof Catalog>

/** @throws TOOL_OUTPUT where it is no catalog */
export function parseCatalog(text: string, doing: string): Catalog {
  try {
    return Catalog.parse(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('TOOL_OUTPUT', { doing, why: "Puppet's catalog is not one Trueup can read", cause })
  }
}

/** `File[/etc/motd]`: how Puppet names a resource, in reports too. */
export const referenceOf = ({ type, title }: Pick<CatalogResource, 'type' | 'title'>): string => `${type}[${title}]`

export const byReference = (catalog: Catalog): Map<string, CatalogResource> =>
  new Map(catalog.resources.map((resource) => [referenceOf(resource), resource]))

/**
 * The catalog without what the ignore rules cover: Puppet then neither looks at such an attribute nor writes it. Null where
 * they cover nothing in it. Parameters that are no properties (`path`, `provider`, `require` …) stay: they are not state. So
 * do resources that are yet to be made (`absent`): nobody else has a hand on them, and they are made as declared.
 */
export function withoutIgnored(
  catalog: Catalog,
  { prefix, ignored, absent }: { prefix: string; ignored: IgnoreMatcher; absent: ReadonlySet<string> },
): Catalog | null {
  let found = false
  const resources = catalog.resources.map((resource) => {
    if (absent.has(referenceOf(resource))) return resource
    const address = `${prefix}${referenceOf(resource)}`
    const dropped = Object.keys(resource.parameters).filter(
      (name) => !NOT_STATE.has(name) && (ignored(address, name) || contentOf(name, address, ignored)),
    )
    if (dropped.length === 0) return resource
    found = true
    return {
      ...resource,
      parameters: Object.fromEntries(Object.entries(resource.parameters).filter(([name]) => !dropped.includes(name))),
      sensitive_parameters: resource.sensitive_parameters.filter((name) => !dropped.includes(name)),
    }
  })
  return found ? { ...catalog, resources } : null
}

/** Reports call the content of a file `content`, also where the code says `source`. */
const contentOf = (name: string, address: string, ignored: IgnoreMatcher): boolean =>
  name === 'source' && ignored(address, 'content')

/**
 * A parameter as people write it. Ruby takes text that comes from a fact for binary, and catalogs then have it as an object
 * (`__ptype`, "rich data"); so do sensitive values inside of others.
 */
export function plainValue(given: Json): Json {
  if (given === null || typeof given !== 'object') return given
  if (Array.isArray(given)) return given.map(plainValue)
  const { __ptype: type, __pvalue: inner } = given
  if (type === 'Binary' && typeof inner === 'string') {
    const bytes = Buffer.from(inner, 'base64')
    return textOf(bytes) ?? digestOf(hash('sha256', bytes, 'hex'), bytes.length)
  }
  if (type === 'Sensitive') return plainValue(inner ?? null)
  return Object.fromEntries(Object.entries(given).map(([key, each]) => [key, plainValue(each)]))
}

/** Parameters that identify or steer a resource. */
export const NOT_STATE: ReadonlySet<string> = new Set(
  `
    name title path command provider alias audit before require notify subscribe tag stage loglevel noop
    schedule creates onlyif unless refreshonly cwd environment backup force purge recurse recurselimit
    replace show_diff checksum ignore sourceselect source_permissions links max_files validate_cmd
    validate_replacement validation timeout tries try_sleep logoutput refresh returns hasstatus
    hasrestart status start stop restart pattern manifest binary control allow_virtual managehome
    install_options uninstall_options configfiles reinstall_on_refresh package_settings adminfile
    responsefile line match after
  `
    .trim()
    .split(/\s+/),
)

/** What writes files or parts of them: Puppet's own type, and those of the modules concat, stdlib and inifile. */
const FILE_TYPES = new Set(['File', 'Concat_file', 'File_line', 'Ini_setting', 'Ini_subsetting'])

/** The files that the catalog manages; of directories those that it manages with all that is in them. */
export function filesOf(catalog: Catalog): ManagedFile[] {
  return catalog.resources.flatMap(({ type, title, parameters }) => {
    const path = parameters.path ?? title
    if (!FILE_TYPES.has(type) || typeof path !== 'string' || parameters.noop === true) return []
    const isDirectory = parameters.ensure === 'directory'
    const holdsAll = isDirectory && (parameters.recurse === true || parameters.purge === true)
    if (isDirectory && !holdsAll) return []
    const isLink = parameters.ensure === 'link' || parameters.target !== undefined
    return [{ path, isLink, ...(holdsAll && { holdsAll }) }]
  })
}

/** Everything that the catalog says is secret, as text. */
export function secretsIn(catalog: Catalog): string[] {
  return catalog.resources.flatMap(({ parameters, sensitive_parameters }) =>
    sensitive_parameters.flatMap((name) => textsOf(plainValue(parameters[name] ?? null))),
  )
}

function textsOf(given: Json): string[] {
  if (given === null || typeof given === 'boolean') return []
  if (typeof given !== 'object') return [String(given), String(given).trim()]
  return Object.values(given as JsonObject).flatMap(textsOf)
}
