import { PROPERTIES } from '../../test/conformance/properties.ts'
import type { Column } from './results.ts'

/** A Markdown table, properties down and drivers across, with what each ran against and why a property is not asked. */
export function tableOf(columns: readonly Column[]): string {
  const notes: string[] = []
  const cell = ({ driver, exempt, passed }: Column, property: string): string => {
    const reason = exempt[property]
    if (reason !== undefined) {
      const note = `\`${driver}\`, ${property}: ${reason}.`
      if (!notes.includes(note)) notes.push(note)
      return `– <sup>${notes.indexOf(note) + 1}</sup>`
    }
    const holds = passed[property]
    return holds === undefined ? 'not run' : holds ? 'yes' : '**no**'
  }
  const head = [
    ['', ...columns.map(({ driver }) => `\`${driver}\``)],
    ['against', ...columns.map(({ against }) => against)],
    ['run on', ...columns.map(({ day }) => day)],
  ]
  const body = Object.entries(PROPERTIES).map(([property, text]) => [
    `${text} (${property})`,
    ...columns.map((column) => cell(column, property)),
  ])
  return markdownTable([...head, ...body], notes)
}

/** The first row is the head; numbered notes stand below. */
export function markdownTable([first, ...rows]: readonly string[][], notes: readonly string[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const below = line(['---', ...first!.slice(1).map(() => ':-:')])
  return [line(first!), below, ...rows.map(line), '', ...notes.map((note, i) => `${i + 1}. ${note}`)].join('\n')
}
