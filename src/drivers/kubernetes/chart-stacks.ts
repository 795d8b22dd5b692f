import { posix } from 'node:path'
import { environmentFiles } from '../per-environment.ts'
import type { Proposal } from '../proposal.ts'

/** `values-prod.yaml`, `values.prod.yaml`, `prod.values.yaml`, `values/prod.yaml`, `envs/prod/values.yaml`. */
const FORMS: readonly RegExp[] = [
  /^values[-_.]([\w-]+)\.ya?ml$/,
  /^([\w-]+)[-_.]values\.ya?ml$/,
  /^(?:values|env|envs|environments)\/(?:values[-_.])?([\w-]+)\.ya?ml$/,
  /^(?:values|env|envs|environments)\/([\w-]+)\/values\.ya?ml$/,
]

/** A chart as a stack; one for each form of values files that are named after environments, with those that have them. */
export function chartStacks(path: string, files: readonly string[]): Proposal[] {
  const why = `chart ${posix.basename(path === '.' ? 'at the root' : path)}`
  const below = files
    .filter((file) => path === '.' || file.startsWith(`${path}/`))
    .map((file) => posix.relative(path === '.' ? '' : path, file))
  for (const form of FORMS) {
    const found = environmentFiles(below, (file) => form.exec(file)?.[1] ?? null)
    if (found.length === 0) continue
    return found.map(({ environment, file }) => {
      // The driver puts the name of the environment in: entries that differ in nothing else become one.
      const at = file.lastIndexOf(environment)
      const valueFile = `${file.slice(0, at)}{environment}${file.slice(at + environment.length)}`
      return { path, environment, with: { helm: { valueFiles: [valueFile] } }, why: `${why}, ${file}` }
    })
  }
  return [{ path, why }]
}
