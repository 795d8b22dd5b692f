import { getFiletypeFromFileName, preloadHighlighter } from '@pierre/diffs'

export const THEME = { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } as const
/** Its other engine is WebAssembly, which the content policy does not allow. */
export const ENGINE = 'shiki-js'

/** Only for the colours of its language: the page's own name of a file stands above it, so that a hostile one is never parsed. */
export const nameFor = (path: string): string => `file.${/\.([A-Za-z0-9]{1,8})$/.exec(path)?.[1] ?? 'txt'}`

const loading = new Map<string, Promise<unknown>>()

/**
 * Resolves when what colours files of this name is there. Diffs that are made before wait for it, and are drawn all at once
 * when it comes. Without colours they are drawn too.
 */
export function coloursOf(path: string): Promise<unknown> {
  const language = getFiletypeFromFileName(nameFor(path))
  const known = loading.get(language)
  if (known) return known
  const comes = preloadHighlighter({
    themes: Object.values(THEME),
    langs: [language],
    preferredHighlighter: ENGINE,
  }).catch(() => undefined)
  loading.set(language, comes)
  return comes
}
