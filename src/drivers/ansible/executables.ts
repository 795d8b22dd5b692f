import type { BroughtFile, Executables, Executed } from '../driver.ts'

/** Directories from which Ansible loads Python (https://docs.ansible.com/ansible/latest/dev_guide/developing_locally.html). */
const PLUGINS = /(^|\/)(\w+_plugins|library|module_utils|plugins|modules)\//
const SETTINGS = /(^|\/)(ansible\.cfg|requirements\.ya?ml)$/
/** What starts programs: lookups on the worker, tasks on the hosts, and variables that name programs for the connection. */
const WORDS =
  /\b(lookup|query|q)\s*\(\s*['"]([\w.]*\.)?(pipe|lines)\b|\bwith_(pipe|lines)\b|^\s*-?\s*(ansible\.\w+\.)?(shell|command|script|raw|expect|local_action|win_shell|win_command)\s*:|\bansible_\w*(interpreter|executable|extra_args|common_args|connection)\b|^plugin\s*:/m

export const executables: Executables = { settings: ['inventory', 'requirements'], inFile }

function inFile({ path, mode, content }: BroughtFile): Executed[] {
  if (mode === '100755' || content.startsWith('#!') || PLUGINS.test(path) || SETTINGS.test(path))
    return [{ what: path, text: `${mode} ${content}` }]
  return WORDS.test(content) ? [{ what: `commands in ${path}`, text: content }] : []
}
