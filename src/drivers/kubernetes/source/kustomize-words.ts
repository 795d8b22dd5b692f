/** A resource of a kustomization, named in what Kustomize says of it and of all that lead to it. */
const RESOURCE = /accumulating (?:resources|components) from '([^']+)': /g
const DIRECTORY = /recursed accumulation of path '([^']+)'/g
const REMOTE = /^(https?|ssh|git|file):\/\/|^git@|^[\w-]+(\.[\w-]+)+\//
const PLUGIN = /unable to load external plugin '([^']+)'/
/** KSOPS, which decrypts by SOPS, is the most common one. */
const NO_PLUGINS =
  'and plugins of Kustomize are not run here: they are programs of the repository. Take what it makes from ${variables.NAME}, or leave the stack to the tool that runs it'

/** What is wrong with one resource, in words. */
interface Reason {
  why: string
  /** It lies behind a network, and that is what did not work. */
  unreachable: boolean
}

/**
 * Kustomize tells the whole way to a resource that it cannot read, each step quoted in the one before, and each attempt at
 * it: what is wrong stands in the last one. Null for what is no such message.
 */
export function resourceProblem(said: string): Reason | null {
  const plugin = PLUGIN.exec(said)?.[1]
  if (plugin !== undefined) return { why: `it uses the plugin ${plugin}, ${NO_PLUGINS}`, unreachable: false }
  const resource = [...said.matchAll(RESOURCE)].at(-1)
  const name = resource?.[1]
  if (resource === undefined || name === undefined) return null
  const directory = [...said.slice(0, resource.index).matchAll(DIRECTORY)].at(-1)?.[1]
  const user = directory === undefined ? '' : `${directory}: `
  const rest = said.slice(resource.index + resource[0].length)
  // Its first attempt, as a file, ends the quotation. A directory is told of behind it; of a remote one Git speaks last.
  const [file = rest, ...more] = rest.split("': ")
  const first = file.endsWith('must resolve to a file') ? (more.at(-1) ?? file) : file
  if (!REMOTE.test(name)) {
    const isMissing = /no such file or directory/.test(first)
    return { why: `${user}${name}: ${isMissing ? 'there is no such file or directory' : first}`, unreachable: false }
  }
  const git = [...rest.matchAll(/^(?:.*?: )?(?:fatal|error): (.+)$/gm)].at(-1)?.[1]
  const why = `${user}${name} cannot be fetched: ${git ?? first}`
  return { why, unreachable: /no such host|Could not resolve|connect|timed? ?out|refused|unreachable/i.test(why) }
}
