import type { ChefReport, Entry } from './report.ts'

/** A place in the repository. */
export interface Place {
  file: string
  line?: number
}

/** From a path on the host to one in the repository, or null. */
export type RepositoryPath = (path: string) => string | null

/** The first place of the repository that the texts name; a trace is searched before the words of its error. */
export function placeIn(texts: readonly string[], repositoryPath: RepositoryPath): Place | null {
  for (const text of texts) {
    for (const [, path, line] of text.matchAll(/(\/[^\s:]+\.(?:rb|json|yml|yaml|erb)):(\d+)/g)) {
      const file = repositoryPath(path!)
      if (file !== null) return { file, line: Number(line) }
    }
  }
  return null
}

/** Where a resource is declared, or where in a custom resource it went wrong. */
export const placeOfEntry = (entry: Entry, repositoryPath: RepositoryPath): Place | null =>
  placeIn([...(entry.error_trace ?? []), entry.source_line], repositoryPath)

/** Where a run came to its end: an error quotes objects, and with them other places, so its trace goes first. */
export function placeOfRun(report: ChefReport, repositoryPath: RepositoryPath): Place | null {
  const found = placeIn([...(report.error_trace ?? []), report.error ?? ''], repositoryPath)
  const file = report.failed_file ? repositoryPath(report.failed_file) : null
  return found ?? (file === null ? null : { file })
}

/** `path:line: ` before a message, or nothing. */
export const before = (place: Place | null): string =>
  place === null ? '' : `${place.file}${place.line === undefined ? '' : `:${place.line}`}: `

/** The same for a finding or the details of an error. */
export const at = (place: Place | null): { path?: string; line?: number } =>
  place === null ? {} : { path: place.file, ...(place.line !== undefined && { line: place.line }) }
