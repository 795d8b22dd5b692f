/** One request of the AWS query protocol: the action, and its parameters as a tree (`A.member.1.B=x` → `{A: [{B: 'x'}]}`). */
export interface QueryRequest {
  action: string
  parameters: QueryValue
}
export type QueryValue = { [name: string]: QueryValue } | QueryValue[] | string

type Tree = Map<string, Tree | string>

/** Reads the form body of a request. Lists are written as `NAME.member.N`, an empty list as `NAME=`. */
export function parseQuery(body: string): QueryRequest {
  const root: Tree = new Map()
  for (const [name, value] of new URLSearchParams(body)) put(root, name.split('.'), value)
  const action = root.get('Action')
  root.delete('Action')
  root.delete('Version')
  return { action: typeof action === 'string' ? action : '', parameters: fold(root) }
}

function put(tree: Tree, [first, ...rest]: string[], value: string): void {
  if (first === undefined) return
  if (rest.length === 0) {
    tree.set(first, value)
    return
  }
  const existing = tree.get(first)
  const inner: Tree = existing instanceof Map ? existing : new Map()
  tree.set(first, inner)
  put(inner, rest, value)
}

function fold(tree: Tree | string): QueryValue {
  if (typeof tree === 'string') return tree
  const members = tree.get('member')
  if (tree.size === 1 && members instanceof Map) {
    return [...members.entries()].toSorted(([a], [b]) => Number(a) - Number(b)).map(([, item]) => fold(item))
  }
  return Object.fromEntries([...tree.entries()].map(([name, inner]) => [name, fold(inner)]))
}

/** Text of a parameter, or undefined. */
export function text(parameters: QueryValue | undefined, name: string): string | undefined {
  const value = fieldOf(parameters, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Items of a list parameter; none where it is absent. */
export function items(parameters: QueryValue | undefined, name: string): QueryValue[] {
  const value = fieldOf(parameters, name)
  return Array.isArray(value) ? value : []
}

/** `Key`/`Value` lists (tags, parameters) as an object. */
export function pairs(parameters: QueryValue, name: string, key: string, value: string): { [key: string]: string } {
  return Object.fromEntries(items(parameters, name).map((item) => [text(item, key) ?? '', text(item, value) ?? '']))
}

const fieldOf = (parameters: QueryValue | undefined, name: string): QueryValue | undefined =>
  parameters === undefined || typeof parameters === 'string' || Array.isArray(parameters) ? undefined : parameters[name]
