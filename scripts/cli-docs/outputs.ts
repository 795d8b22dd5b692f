import { OTHER_OUTPUTS, outputsSchema } from '../../src/cli/outputs/index.ts'
import { membersOf, type Part, typeText } from '../../src/cli/outputs/members.ts'

const HEAD = `# What commands print as JSON

<!-- Made from the schemas of the commands by scripts/generate-cli-docs.ts: change them, not this file. -->

With \`--output json\` a command prints one JSON document on stdout, and [Command line](cli.md) says for each command which. The
same is in [cli-output.schema.json](../schema/cli-output.schema.json) for programs: JSON Schema 2020-12, where \`$defs\` has an
entry for each command, such as \`trueup mr list\`. The tests of Trueup hold what is printed against it.

* **Stable**: members are added; none is renamed or removed within a major version. So ignore what you do not know.
* **Times** are whole milliseconds since 1970-01-01T00:00:00Z, and so are their spans.
* **Stacks** are called \`environment/name\`, runs, drift and the like by ids that are never shortened.
* **Errors** are one line of JSON on stderr: \`code\`, \`doing\`, \`why\`, \`next\`, at times \`details\`; \`trueup explain CODE\` tells more.
* Members whose type ends with *, if any* may be missing.

Without a network: \`trueup explain output mr show\`.
`

const { $defs } = outputsSchema() as { $defs: { [name: string]: Part } }

/** What the command prints under `--output json`, in Markdown. Throws for a command that nobody has described. */
export function outputLine(command: string): string {
  const other = OTHER_OUTPUTS[command]
  if (other !== undefined) return `Prints ${other}.`
  const part = $defs[`trueup ${command}`]
  if (part === undefined)
    throw new Error(`what \`trueup ${command}\` prints as JSON is not in src/cli/outputs: add it there`)
  const text = typeText(part, (name) => `[${name}](cli-output.md#${name.toLowerCase()})`)
  const members = part.properties === undefined ? '' : `: ${memberList(part)}`
  return `JSON: ${text}${members}.`
}

/** docs/cli-output.md: every object that commands print. */
export function outputsPage(): string {
  const names = Object.keys($defs).filter((name) => !name.startsWith('trueup '))
  return `${HEAD}\n${names.toSorted().map(objectSection).join('\n')}`
}

function objectSection(name: string): string {
  const part = $defs[name]!
  const about = part.description === undefined ? '' : `${part.description}\n\n`
  const rows = membersOf(part, link).map(
    ({ path, type, optional, about: text }) =>
      `| \`${path}\` | ${cell(type)}${optional ? ', if any' : ''} | ${cell(text)} |`,
  )
  const body =
    rows.length > 0
      ? ['| member | type | |', '|---|---|---|', ...rows].join('\n')
      : name === 'Json'
        ? 'Any JSON value.'
        : `${typeText(part, link)}.`
  return `## ${name}\n\n${about}${body}\n`
}

const link = (name: string): string => `[${name}](#${name.toLowerCase()})`

const memberList = ({ properties = {} }: Part): string =>
  Object.keys(properties)
    .map((name) => `\`${name}\``)
    .join(', ')

const cell = (value: string): string => value.replaceAll('|', '\\|').replaceAll('\n', ' ')
