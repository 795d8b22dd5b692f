import { join } from 'node:path'
import type { Plugin } from 'vite'

const OURS = JSON.stringify(join(import.meta.dirname, 'src', 'ui', 'strict-styles.ts'))

type Change = readonly [theirs: string, ours: string]
/**
 * Statements of libraries that make styles as text, by file: a content policy without `unsafe-inline` refuses them, and
 * none of these libraries has another way (a nonce does not cover attributes). Each becomes a call of ours that goes
 * through the object model.
 */
const CHANGES: { readonly [file: string]: readonly Change[] } = {
  '@pierre/diffs/dist/utils/hastToHtml.js': [['attribute = `style="${', 'attribute = `data-css="${']],
  '@pierre/diffs/dist/components/web-components.js': [
    ['if (sheet == null) {', 'applyStylesIn(shadowRoot);\n\t\t\tif (sheet == null) {'],
    ['//#region', `import { applyStylesIn } from ${OURS};\n//#region`],
  ],
  '@pierre/diffs/dist/utils/hostTheme.js': [
    ['currentNode.textContent = themeCSS;', 'setTheme(shadowRoot, themeCSS);'],
    // It stays as the mark that a theme is there.
    ['document.createElement("style")', 'document.createElement("template")'],
    ['//#region', `import { setTheme } from ${OURS};\n//#region`],
  ],
}

/** Mends those files as they are bundled. Fails when one is not as it was, so that a new version is looked at. */
export function strictStyles(): Plugin {
  const mended = new Set<string>()
  return {
    name: 'trueup:strict-styles',
    transform(code, id) {
      const file = Object.keys(CHANGES).find((each) => id.split('?')[0]!.endsWith(`/node_modules/${each}`))
      if (!file) return null
      let found = code
      for (const [theirs, ours] of CHANGES[file]!) {
        if (!found.includes(theirs)) this.error(`${file} has no "${theirs}" any more: look how it sets styles now`)
        found = found.replace(theirs, () => ours)
      }
      mended.add(file)
      return { code: found, map: null }
    },
    buildEnd(error) {
      if (error) return
      const missing = Object.keys(CHANGES).filter((file) => !mended.has(file))
      if (missing.length > 0) this.error(`not bundled, so take it off the list of strict styles: ${missing.join(', ')}`)
    },
  }
}
