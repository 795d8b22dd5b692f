import type { BroughtFile, Executables, Executed } from '../driver.ts'

/** Ruby of modules and templates, and files that name code to load. */
const CODE = /\.(rb|erb)$|(^|\/)(Puppetfile|environment\.conf)$|(^|\/)facts\.d\//
/** In manifests: programs on the side that compiles, and on the host. */
const WORDS = /\b(generate|inline_template|Deferred)\s*\(|\bexec\s*\{/
/** Backends of Hiera are functions (https://www.puppet.com/docs/puppet/7/hiera_config_yaml_5.html). */
const BACKEND = /\b(data_hash|data_dig|lookup_key)\s*:/

export const executables: Executables = { settings: ['hiera', 'modulepath', 'puppetfile'], inFile }

function inFile({ path, mode, content }: BroughtFile): Executed[] {
  if (mode === '100755' || CODE.test(path)) return [{ what: path, text: `${mode} ${content}` }]
  if (path.endsWith('.pp') && WORDS.test(content)) return [{ what: `commands in ${path}`, text: content }]
  return /(^|\/)hiera\w*\.ya?ml$/.test(path) && BACKEND.test(content)
    ? [{ what: `backends of ${path}`, text: content }]
    : []
}
