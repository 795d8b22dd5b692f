import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/** What a first visit may fetch of packed script before diffs, graphs and charts come, which are loaded when shown. */
const BUDGET_BYTES = 230_000

interface Script {
  bytes: number
  /** Scripts that must be there before it runs. */
  needs: readonly string[]
}

/** Packed bytes of scripts and of all that they need, each counted once. */
export function firstLoadBytes(scripts: ReadonlyMap<string, Script>, wanted: readonly string[]): number {
  const seen = new Set<string>()
  const add = (file: string): number => {
    const script = scripts.get(file)
    if (!script || seen.has(file)) return 0
    seen.add(file)
    return script.needs.reduce((sum, need) => sum + add(need), script.bytes)
  }
  return wanted.reduce((sum, file) => sum + add(file), 0)
}

/** Ends the build where the first visit to a page, one that the router loads, would fetch more than the budget. */
export function scriptBudget(budget = BUDGET_BYTES): Plugin {
  return {
    name: 'script-budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
      const scripts = new Map(
        chunks.map(({ fileName, code, imports }) => [fileName, { bytes: gzipSync(code).length, needs: imports }]),
      )
      const entry = chunks.find(({ isEntry, facadeModuleId }) => isEntry && facadeModuleId?.endsWith('.html'))
      if (!entry) return
      const pages = chunks.filter(
        ({ facadeModuleId }) =>
          facadeModuleId !== null &&
          (this.getModuleInfo(facadeModuleId)?.dynamicImporters ?? []).some((from) => /\/router\.tsx?$/.test(from)),
      )
      if (pages.length === 0) this.error('no page is loaded by the router: what a first visit fetches is not known')
      const over = pages
        .map(({ fileName, name }) => ({ name, bytes: firstLoadBytes(scripts, [entry.fileName, fileName]) }))
        .filter(({ bytes }) => bytes > budget)
      if (over.length > 0)
        this.error(
          `a first visit may fetch ${budget} bytes of packed script; these pages fetch more: ${over.map(({ name, bytes }) => `${name} ${bytes}`).join(', ')}. Load what is shown later when it is shown.`,
        )
    },
  }
}
