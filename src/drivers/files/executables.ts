import type { Executables } from '../driver.ts'

/** Commands of the settings, and programs among the files: commands may start them, and so does the host. */
export const executables: Executables = {
  settings: ['reload', 'check'],
  inFile: ({ path, mode, content }) =>
    mode === '100755' || content.startsWith('#!') ? [{ what: path, text: `${mode} ${content}` }] : [],
}
