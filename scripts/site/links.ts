import { posix } from 'node:path'

/** Links of Markdown and of images, outside of code. */
const LINK = /(`+)[^`]*?\1|(!?\[[^\]]*\])\(([^)\s]+)\)/g

/**
 * Makes the links of a page of the repository right on the site: files that the site has under another address go there
 * (`pages`: path in the repository → path on the site, with its ending), other files of the repository become plain text.
 * `path` is the page's place in the repository, `target` its place on the site.
 */
export function relinked(
  text: string,
  { path, target, pages }: { path: string; target: string; pages: ReadonlyMap<string, string> },
): string {
  return outsideFences(text, (part) =>
    part.replace(LINK, (whole: string, _code: unknown, label?: string, link?: string) => {
      if (label === undefined || link === undefined || /^([a-z]+:|#)/.test(link)) return whole
      const [file = '', anchor] = link.split('#')
      const page = pages.get(posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, ''))
      if (page === undefined) return label.replace(/^!?\[(.*)\]$/s, '$1')
      const there = posix.relative(posix.dirname(target), page)
      return `${label}(${there.startsWith('.') ? there : `./${there}`}${anchor === undefined ? '' : `#${anchor}`})`
    }),
  )
}

/** Blocks of code are shown, and not read. */
function outsideFences(text: string, change: (part: string) => string): string {
  return text
    .split(/^(```[^]*?^```$)/m)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('')
}
