import { didYouMean } from '../../domain/suggest.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { OTHER_OUTPUTS, outputsSchema } from './index.ts'
import { membersOf, type Part, typeText } from './members.ts'

/**
 * What a command prints under `--output json`: a JSON Schema that stands alone, and lines for people. NOT_FOUND, with the
 * nearest one, for a command that there is not or that prints no JSON.
 */
export function outputOf(command: string): { schema: object; lines: string[] } {
  const { $defs, ...head } = outputsSchema() as { $defs: { [name: string]: Part } }
  const name = `trueup ${command}`
  const root = $defs[name]
  if (root === undefined) throw unknown(command, Object.keys($defs).flatMap(commandIn))
  const needed = new Map<string, Part>()
  reach(root, $defs, needed)
  const plain = (definition: string): string => definition
  const line = (indent: string) => (member: ReturnType<typeof membersOf>[number]) =>
    `${indent}${member.path}: ${member.type}${member.optional ? ', if any' : ''}${member.about === '' ? '' : ` (${member.about})`}`
  return {
    schema: { ...head, title: `What ${name} prints`, ...root, $defs: Object.fromEntries(needed) },
    lines: [
      `${name} --output json`,
      typeText(root, plain),
      ...membersOf(root, plain).map(line('  ')),
      ...[...needed].flatMap(([definition, part]) => [
        '',
        definition,
        ...(part.properties || part.anyOf ? [] : [`  ${typeText(part, plain)}`]),
        ...membersOf(part, plain).map(line('  ')),
      ]),
    ],
  }
}

/** Definitions that a part refers to, and theirs. */
function reach(part: unknown, $defs: { [name: string]: Part }, found: Map<string, Part>): void {
  if (typeof part !== 'object' || part === null) return
  const { $ref } = part as Part
  const name = typeof $ref === 'string' ? $ref.replace('#/$defs/', '') : null
  if (name !== null && !found.has(name)) {
    found.set(name, $defs[name]!)
    reach($defs[name], $defs, found)
  }
  for (const inner of Object.values(part)) reach(inner, $defs, found)
}

const commandIn = (definition: string): string[] =>
  definition.startsWith('trueup ') ? [definition.slice('trueup '.length)] : []

function unknown(command: string, known: readonly string[]): TrueupError {
  const other = OTHER_OUTPUTS[command]
  return new TrueupError('NOT_FOUND', {
    doing: `explaining what \`trueup ${command}\` prints`,
    why: other === undefined ? `there is no such command${didYouMean(command, known)}` : `it prints ${other}`,
    next: 'Run `trueup explain` for the commands that print JSON.',
  })
}
