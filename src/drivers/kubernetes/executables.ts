import type { BroughtFile, Executables, Executed } from '../driver.ts'

/** A kubeconfig may name a program that gives the token; plugins of Helm and Kustomize are not run. */
export const executables: Executables = { settings: ['kubeconfig'], inFile }

function inFile({ path, content }: BroughtFile): Executed[] {
  const isKubeconfig = /["']?\b(users|current-context)["']?\s*:/.test(content) && /["']?\bexec["']?\s*:/.test(content)
  return isKubeconfig ? [{ what: `a credential program in ${path}`, text: content }] : []
}
