/** A part of a JSON Schema, as far as it is told to people. */
export interface Part {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  description?: string
  properties?: { [name: string]: Part }
  additionalProperties?: Part | boolean
  required?: string[]
  items?: Part
  anyOf?: Part[]
}

/** A member of an object that is printed. */
export interface Member {
  /** From the object on; what stands in a list has `[]`: `stacks[].state`. */
  path: string
  type: string
  /** It may be missing. */
  optional: boolean
  about: string
}

/** Says how another definition is called: a word, or a link to it. */
export type Named = (definition: string) => string

/** The members of an object, each before those within it. */
export function membersOf(part: Part, named: Named, before = ''): Member[] {
  const shown = part.anyOf?.find(({ properties }) => properties) ?? part
  return Object.entries(shown.properties ?? {}).flatMap(([name, member]) => {
    const inner = listed(member)
    const path = `${before}${name}${inner === member ? '' : '[]'}`
    const optional = !(shown.required ?? []).includes(name)
    return [
      { path, type: typeText(member, named), optional, about: aboutOf(member) },
      ...membersOf(inner, named, `${path}.`),
    ]
  })
}

/** What kind of value it is: `string or null`, `list of Run`. */
export function typeText(part: Part, named: Named): string {
  if (part.$ref !== undefined) return named(part.$ref.replace('#/$defs/', ''))
  if (part.const !== undefined) return JSON.stringify(part.const)
  if (part.enum !== undefined) return part.enum.map((value) => JSON.stringify(value)).join(', ')
  if (part.anyOf !== undefined) return [...new Set(part.anyOf.map((one) => typeText(one, named)))].join(' or ')
  if (part.items !== undefined) return `list of ${typeText(part.items, named)}`
  if (part.properties === undefined && typeof part.additionalProperties === 'object')
    return `object of ${typeText(part.additionalProperties, named)} by name`
  return part.type === undefined ? 'any JSON value' : [part.type].flat().join(' or ')
}

/** What a list is of; the part itself where it is none. */
const listed = (part: Part): Part => part.items ?? part.anyOf?.find(({ items }) => items)?.items ?? part

/** Of a member that may be null the description stands with what it is otherwise. */
const aboutOf = ({ description, anyOf = [] }: Part): string =>
  description ?? anyOf.find((one) => one.description !== undefined)?.description ?? ''
