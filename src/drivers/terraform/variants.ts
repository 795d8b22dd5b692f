import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import { environmentFiles } from '../per-environment.ts'

/** What one environment gives to a root module that several share. */
export interface Variant {
  environment: string
  settings: { [key: string]: Json }
  /** The files, for people. */
  named: string
}

/** `prod.tfvars`, `env/prod.tfvars`, `prod/terraform.tfvars`, `vars/prod/main.tfvars.json`. */
function ofValues(below: string): string | null {
  const match = /^(?:(?:[\w-]+\/)?([\w.-]+?)\.tfvars(?:\.json)?|(?:[\w-]+\/)?([\w-]+)\/[\w-]+\.tfvars(?:\.json)?)$/
  const [, file, directory] = match.exec(below) ?? []
  const segments = below.split('/')
  // `prod/terraform.tfvars`: the directory says which, the file only what it is.
  if (file !== undefined && /^(terraform|variables|vars|values|main|common)$/.test(file))
    return segments.length > 1 ? segments.at(-2)! : null
  return file ?? directory ?? null
}

/** `backend-prod.hcl`, `prod.tfbackend`, `backends/prod.hcl`, `prod/backend.hcl`. */
function ofBackend(below: string): string | null {
  const [, named] = /(?:^|\/)(?:backend|state)[-_.]([\w-]+)\.(?:hcl|tfbackend|conf|tfvars)$/.exec(below) ?? []
  if (named !== undefined) return named
  const [, file] =
    /(?:^|\/)([\w-]+)(?:[-_.]backend)?\.tfbackend$|(?:^|\/)backends?\/([\w-]+)\.(?:hcl|conf)$/
      .exec(below)
      ?.filter(Boolean) ?? []
  if (file !== undefined) return file
  return /(?:^|\/)([\w-]+)\/backend\.(?:hcl|tfbackend|conf)$/.exec(below)?.[1] ?? null
}

/**
 * Variable and backend files of a root module that are named after environments, by environment. `isModule` says of a
 * directory whether it has code of its own: values in it are that module's.
 */
export function variantsOf(
  directory: string,
  files: readonly string[],
  isModule: (directory: string) => boolean,
): Variant[] {
  const below = files
    .filter((file) => directory === '.' || file.startsWith(`${directory}/`))
    .filter((file) => posix.dirname(file) === directory || !isModule(posix.dirname(file)))
    .map((file) => posix.relative(directory === '.' ? '' : directory, file))
    .filter((file) => file.split('/').length <= 3)
  const backends = environmentFiles(below, ofBackend)
  const isBackend = new Set(backends.map(({ file }) => file))
  const values = environmentFiles(
    below.filter((file) => !isBackend.has(file) && !/\.auto\.tfvars(\.json)?$/.test(file)),
    ofValues,
  )
  const byEnvironment = Map.groupBy(values, ({ environment }) => environment)
  for (const { environment } of backends) if (!byEnvironment.has(environment)) byEnvironment.set(environment, [])
  return [...byEnvironment]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([environment, found]) => {
      const varFiles = found.map(({ file }) => file).toSorted()
      const backendFiles = backends.filter((each) => each.environment === environment).map(({ file }) => file)
      const settings = {
        ...(varFiles.length > 0 && { varFiles }),
        ...(backendFiles.length > 0 && { backendConfigFiles: backendFiles }),
      }
      return { environment, settings, named: [...varFiles, ...backendFiles].join(', ') }
    })
}
