import { coerce, satisfies, valid } from 'semver'
import { TrueupError } from '../../lib/errors/error.ts'

/**
 * Versions of each tool that its driver is written for: from the oldest that the conformance suite ran on to before the
 * major version that nobody has seen (`npm run conformance -- --matrix`). Programs that are not named here are used
 * whatever their version is.
 */
export const SUPPORTED: { readonly [program: string]: string } = {
  'ansible-playbook': '>=2.14 <3',
  'chef-client': '>=16 <20',
  'cinc-client': '>=16 <20',
  helm: '>=3.6 <5',
  kustomize: '>=4.5 <6',
  kubectl: '>=1.20 <2',
  puppet: '>=7 <10',
  ssh: '>=8.4 <11',
  terraform: '>=1.5 <2',
  tofu: '>=1.6 <2',
}

/**
 * Refuses a tool of which the driver does not know how it behaves. A version that is no number (`(devel)` of a program that
 * a distribution built) passes: it is told as it is.
 * @throws TOOL_VERSION with the supported range
 */
export function checkSupported(tool: { name: string; path?: string; version: string }): void {
  const range = SUPPORTED[tool.name]
  const version = valid(tool.version) ?? coerce(tool.version)?.version
  if (range === undefined || version === undefined) return
  if (satisfies(version, range, { includePrerelease: true })) return
  throw new TrueupError('TOOL_VERSION', {
    doing: `choosing the version of ${tool.name}`,
    why: `${tool.path ?? 'this worker'} has ${tool.version}, supported is ${range}`,
    next: `Install a version within ${range} on the worker, or send the stack to a pool that has one.`,
    details: { tool: tool.name, version: tool.version, wanted: range },
  })
}
