import type { Executables } from '../driver.ts'

/** All of it: the commands, and whatever of its directory they start. */
export const executables: Executables = {
  settings: ['plan', 'apply', 'drift', 'validate', 'destroy', 'version', 'shell', 'executable', 'args', 'settings'],
  inFile: ({ path, mode, content }) => [{ what: path, text: `${mode} ${content}` }],
}
