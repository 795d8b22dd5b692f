import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a browser fetches by itself: not links, which people follow. */
const FETCHED =
  /<(?:script|img|iframe|source|video|audio)\b[^>]*\ssrc="((?:https?:)?\/\/[^"]+)"|<link\b(?=[^>]*\srel="(?:stylesheet|preload|modulepreload|icon|preconnect|dns-prefetch)")[^>]*\shref="((?:https?:)?\/\/[^"]+)"/g
const IN_STYLES = /url\(["']?((?:https?:)?\/\/[^)"']+)|@import\s+["']((?:https?:)?\/\/[^"']+)/g

/** Addresses of other servers that pages and styles of the site would ask without being told to. */
export function foreignRequests(directory: string): string[] {
  const found = new Set<string>()
  const look = (pattern: string, what: RegExp): void => {
    for (const file of globSync(pattern, { cwd: directory }))
      for (const [, first, second] of readFileSync(join(directory, file), 'utf8').matchAll(what))
        found.add(`${first ?? second} (${file})`)
  }
  look('**/*.html', FETCHED)
  look('**/*.css', IN_STYLES)
  return [...found].sort()
}
