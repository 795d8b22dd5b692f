import { readFileSync, writeFileSync } from 'node:fs'
import { PROPERTIES } from '../../test/conformance/properties.ts'
import type { Column, Row } from './suite-report.ts'

const PAGE = new URL('../../docs/drivers/conformance.md', import.meta.url)
const BEGIN = '<!-- table: npm run conformance -- --write -->'
const END = '<!-- end of the table -->'

/** A Markdown table, properties down and drivers across, with what each ran against and why a property is not asked. */
export function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const notes: string[] = []
  const cell = ({ driver, against, exempt }: Column, property: string): string => {
    const reason = exempt[property]
    if (reason !== undefined) {
      const note = `\`${driver}\`, ${property}: ${reason}.`
      if (!notes.includes(note)) notes.push(note)
      return `– <sup>${notes.indexOf(note) + 1}</sup>`
    }
    const row = rows.find((its) => its.driver === driver && its.against === against && its.property === property)
    return row === undefined ? 'not run' : row.passed ? 'yes' : '**no**'
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const ordered = columns.toSorted((a, b) => `${a.driver} ${a.against}`.localeCompare(`${b.driver} ${b.against}`))
  const head = [
    line(['', ...ordered.map(({ driver }) => `\`${driver}\``)]),
    line(['---', ...ordered.map(() => ':-:')]),
    line(['against', ...ordered.map(({ against }) => against)]),
  ]
  const body = Object.entries(PROPERTIES).map(([property, text]) =>
    line([`${text} (${property})`, ...ordered.map((column) => cell(column, property))]),
  )
  return [...head, ...body, '', ...notes.map((note, i) => `${i + 1}. ${note}`)].join('\n')
}

/** Puts the table into the page, with the day on which it was made. */
export function writePage(table: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`docs/drivers/conformance.md lacks the marks ${BEGIN} and ${END}`)
  const day = new Date().toISOString().slice(0, 10)
  writeFileSync(PAGE, `${before}${BEGIN}\n\nMade on ${day}.\n\n${table}\n\n${END}${after}`)
}
