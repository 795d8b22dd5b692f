import type { BroughtFile, Executables, Executed } from '../driver.ts'

/** Blocks that start programs, in HCL and in JSON (https://opentofu.org/docs/language/syntax/json/). */
const STARTS = [
  ['a provisioner', /\bprovisioner\s+"|"provisioner"\s*:/],
  ['the external data source', /\bdata\s+"external"|"external"\s*:/],
] as const
/** Providers are programs, and modules of elsewhere may hold any of these. */
const SOURCE = /(?:\bsource\s*=\s*|"source"\s*:\s*)"(?!\.{1,2}\/)([^"]*)"/g

export const executables: Executables = { settings: ['tool', 'pluginDir', 'cliConfig'], inFile }

function inFile({ path, mode, content }: BroughtFile): Executed[] {
  if (mode === '100755') return [{ what: path, text: content }]
  if (path.endsWith('.terraform.lock.hcl')) return [{ what: `providers of ${path}`, text: content }]
  if (/\.(tfrc|terraformrc|tofurc)$/.test(path)) return [{ what: path, text: content }]
  if (!/\.(tf|tofu)(\.json)?$/.test(path)) return []
  const started = STARTS.filter(([, words]) => words.test(content)).map(([what]) => ({
    what: `${what} in ${path}`,
    text: content,
  }))
  const sources = [...content.matchAll(SOURCE)].map(([, source = '']) => ({
    what: `${source} in ${path}`,
    text: source,
  }))
  return [...started, ...sources]
}
