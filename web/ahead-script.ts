import { join } from 'node:path'
import type { Plugin } from 'vite'

const SOURCE = join(import.meta.dirname, 'src', 'ahead.ts')
const OVERVIEW = /\/src\/pages\/overview\.tsx$/

/**
 * Builds `ahead.ts` as a script of its own, which the page runs as soon as it comes and before the large one, and tells it
 * which files the overview needs: most visits begin there.
 */
export function aheadScript(): Plugin {
  return {
    name: 'trueup:ahead-script',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: SOURCE, name: 'ahead' })
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
        const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
        const ahead = chunks.find(({ facadeModuleId }) => facadeModuleId === SOURCE)
        const overview = chunks.find(({ facadeModuleId }) => OVERVIEW.test(facadeModuleId ?? ''))
        if (!ahead || !overview) throw new Error('ahead.ts or the overview is not among the scripts')
        if (ahead.imports.length > 0)
          throw new Error(`ahead.ts must need no other script, and needs ${ahead.imports.join(', ')}`)
        // What the entry brings is on its way already.
        const files = new Set<string>()
        const add = (file: string): void => {
          const chunk = byName.get(file)
          if (!chunk || chunk.isEntry || files.has(file)) return
          files.add(file)
          chunk.imports.forEach(add)
        }
        add(overview.fileName)
        const attrs = {
          type: 'module',
          async: true,
          src: `/${ahead.fileName}`,
          'data-overview': [...files].map((file) => `/${file}`).join(' '),
        }
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }]
      },
    },
  }
}
