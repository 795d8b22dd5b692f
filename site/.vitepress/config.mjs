// The site of one version, below its own path, so that versions stand beside each other. What there is to show was written
// by scripts/site, which also says the version, the sidebar and the former versions.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const { version, versions, sidebar } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'pages', 'site.json'), 'utf8'),
)

export default {
  title: 'Trueup',
  description: 'Self-hosted GitOps for everything a team runs',
  lang: 'en',
  base: `/${version}/`,
  srcDir: 'pages',
  outDir: join('dist', version),
  cacheDir: join('pages', '.cache'),
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    // Pages are templates of Vue: what tools write in double braces is text.
    config(md) {
      const { text, code_inline: code } = md.renderer.rules
      const asText = (html) => html.replaceAll('{{', '&#123;&#123;')
      md.renderer.rules.text = (...given) => asText(text(...given))
      md.renderer.rules.code_inline = (...given) => asText(code(...given))
    },
  },
  themeConfig: {
    nav: [
      { text: 'Concepts', link: '/concepts/stacks-and-environments' },
      { text: 'How to', link: '/how-to/promote' },
      { text: 'Reference', link: '/configuration' },
      { text: version, items: versions.map((each) => ({ text: each, link: `/${each}/`, target: '_self' })) },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    docFooter: { prev: false, next: false },
  },
}
