import { IN_COMMON, isEnvironmentName, mayBeEnvironmentName } from '../domain/stacks/environment-names.ts'

/** A file that one environment has and others have too, by its name or its directory. */
export interface EnvironmentFile {
  environment: string
  file: string
}

/**
 * Files that differ by environment: `candidate` gives the part of a file's name that would be the environment, or null for
 * files that are something else. One of them must be called like an environment: `values-web.yaml` beside
 * `values-db.yaml` are no environments.
 */
export function environmentFiles(
  files: readonly string[],
  candidate: (file: string) => string | null,
): EnvironmentFile[] {
  const found = files.flatMap((file) => {
    const environment = candidate(file)
    return environment === null || environment === '' || IN_COMMON.test(environment) ? [] : [{ environment, file }]
  })
  const certain = found.some(({ environment }) => isEnvironmentName(environment))
  const several = found.length > 1 && found.every(({ environment }) => mayBeEnvironmentName(environment))
  return certain || several ? found.filter(({ environment }) => mayBeEnvironmentName(environment)) : []
}
