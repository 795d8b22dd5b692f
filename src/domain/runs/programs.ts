import { z } from 'zod'

/** What a worker found on its PATH: version by name of the program, empty where it was not asked for its version yet. */
export const ToolsFound = z
  .record(z.string().regex(/^[a-z0-9][a-z0-9.+-]{0,59}$/), z.string().max(100))
  .refine((tools) => Object.keys(tools).length <= 100, 'at most 100 programs')
export type ToolsFound = z.infer<typeof ToolsFound>

/** By what a worker said of itself (`info`); undefined of one that says nothing of its programs. */
export function toolsOf(info: { readonly [member: string]: unknown }): ToolsFound | undefined {
  return ToolsFound.safeParse(info['tools']).data
}

/** Names of these programs. Workers by the thousand have the same ones, and share one list. */
export function programsOf(info: { readonly [member: string]: unknown }): readonly string[] | undefined {
  const tools = toolsOf(info)
  if (!tools) return undefined
  const names = Object.keys(tools)
  const key = names.join(' ')
  const shared = lists.get(key) ?? names
  if (lists.size < MOST_LISTS) lists.set(key, shared)
  return shared
}
const lists = new Map<string, readonly string[]>()
const MOST_LISTS = 1_000

/** Whether a worker with these programs (undefined: nobody knows) can do what needs one of those (null: nothing). */
export const hasOneOf = (tools: ToolsFound | undefined, needed: readonly string[] | null): boolean =>
  tools === undefined || needed === null || needed.some((name) => Object.hasOwn(tools, name))

/** `ansible-playbook 2.19.1, helm`. */
export const describeTools = (tools: ToolsFound): string =>
  Object.entries(tools)
    .map(([name, version]) => (version === '' ? name : `${name} ${version}`))
    .join(', ')
