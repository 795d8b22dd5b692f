import { posix } from 'node:path'

/** Options of ansible.cfg that name paths, and so say what a stack is built from. */
const PATHS = ['inventory', 'roles_path', 'collections_path', 'collections_paths', 'library', 'module_utils'] as const
const PLUGIN_PATHS = /^(?:\w+_plugins|jinja2_extensions_path)$/

/** Options of the `[defaults]` section, as they stand there. A file that is no INI gives what can be read. */
export function defaultsOf(text: string): Map<string, string> {
  const options = new Map<string, string>()
  let section = ''
  for (const line of text.split('\n')) {
    const head = /^\s*\[([^\]]+)\]/.exec(line)
    if (head) section = head[1]!.trim()
    const [, name, value] = /^([A-Za-z_]\w*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (section === 'defaults' && name !== undefined && value) options.set(name, value.replace(/\s+[;#].*$/, ''))
  }
  return options
}

/** Relative paths that the configuration names, relative to its own directory: roles, collections, inventories, plugins. */
export function pathsIn(options: Map<string, string>, only?: RegExp): string[] {
  return [...options]
    .filter(([name]) => (PATHS as readonly string[]).includes(name) || PLUGIN_PATHS.test(name))
    .filter(([name]) => only === undefined || only.test(name))
    .flatMap(([name, value]) => value.split(name === 'inventory' ? ',' : ':'))
    .map((path) => posix.normalize(path.trim().replace(/^\{\{\s*CWD\s*\}\}\//, '')))
    .filter((path) => path !== '.' && path !== '' && !path.startsWith('/') && !path.startsWith('~'))
}
