import type { BroughtFile, Executables, Executed } from '../driver.ts'

/** Recipes, resources, libraries and templates are Ruby, and a lock of a policy names cookbooks of elsewhere. */
const CODE = /\.(rb|erb)$|(^|\/)(Policyfile\.lock\.json|Berksfile(\.lock)?|metadata\.json)$/

export const executables: Executables = { settings: ['client', 'policyLock', 'cookbooks'], inFile }

function inFile({ path, mode, content }: BroughtFile): Executed[] {
  return mode === '100755' || CODE.test(path) ? [{ what: path, text: `${mode} ${content}` }] : []
}
