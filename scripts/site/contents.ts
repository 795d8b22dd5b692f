/** An entry of the sidebar, as VitePress takes it. */
export interface Entry {
  text: string
  link?: string
  items?: Entry[]
  collapsed?: boolean
}

/** A link of Markdown to a page beside it: its text and the page, without what stands behind `#`. */
const LINK = /\[([^\]]+)\]\(([^)#:]+)\.md(?:#[^)]*)?\)/g

/** The sidebar from the table of contents: its second headings with the pages that they link, each page once. */
export function sidebarOf(contents: string): Entry[] {
  const seen = new Set<string>()
  return contents
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      text: part.slice(0, part.indexOf('\n')),
      items: [...part.matchAll(LINK)]
        .map(([, text = '', page = '']) => ({ text: plain(text), link: `/${page.replace(/(^|\/)README$/, '$1')}` }))
        .filter(({ link }) => !link.startsWith('/../') && !seen.has(link) && seen.add(link)),
    }))
    .filter(({ items }) => items.length > 0)
}

/** Capitalised, unless it is the name of a file. */
const plain = (text: string): string => {
  const bare = text.replaceAll('`', '')
  if (/^\S+\.[a-z]+$/.test(bare)) return bare
  return `${bare.charAt(0).toUpperCase()}${bare.slice(1)}`
}
