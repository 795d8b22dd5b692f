/** Answers that were asked for before the application was there, by address. */
export type Ahead = Map<string, Promise<Response>>

declare global {
  interface Window {
    trueupAhead?: Ahead
  }
}

const PAGE = /^\/r\/([^/]+)(?:\/(mr|runs|stacks)\/(.+?))?\/?$/

/** What the page at an address asks the server for first, exactly as it will ask. Files of it need not: they are in the script. */
export function firstAddresses(pathname: string, search: string): string[] {
  if (pathname === '/login') return []
  const all = ['/api/v1/session', '/api/v1/repositories?limit=200']
  const [, repository, kind, rest] = PAGE.exec(pathname) ?? []
  if (repository === undefined) return all
  const at = `/api/v1/repositories/${repository}`
  const environments = `${at}/environments?limit=200`
  if (kind === undefined) {
    // With filters another list is shown; what they make of the address is the application's to say.
    const list = search === '' ? [`${at}/matrix?sort=need&limit=200`] : []
    const waits = [`${at}/runs?state=awaiting_approval&limit=100`, `${at}/merge-requests?limit=100&state=open`]
    return [...all, `${at}/overview`, ...list, environments, ...waits]
  }
  if (kind === 'mr') return /^\d+$/.test(rest!) ? [...all, `${at}/merge-requests/${rest}`, environments] : all
  if (kind === 'runs') return [...all, `/api/v1/runs/${rest}`]
  const stack = encodeURIComponent(decodeURIComponent(rest!))
  return [...all, `${at}/stack?stack=${stack}`, environments, `${at}/resources?stack=${stack}`]
}
