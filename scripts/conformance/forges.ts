import { z } from 'zod'
import { PROPERTIES, type PropertyName } from '../../test/forges/properties.ts'
import { runVitest } from './run-vitest.ts'
import { writeTable } from './page.ts'
import { markdownTable } from './table.ts'

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          status: z.string(),
          meta: z.object({
            forge: z
              .object({
                forge: z.string(),
                property: z.custom<PropertyName>(),
                against: z.string(),
                cannot: z.string().nullable(),
              })
              .optional(),
          }),
        }),
      ),
    }),
  ),
})

/** One property of one forge. `cannot`: the sentence by which it refuses what it cannot do; null where it can. */
export interface ForgeRow {
  forge: string
  property: PropertyName
  against: string
  passed: boolean
  cannot: string | null
}

/** Every forge under the suite of forges. */
export async function runForges(): Promise<ForgeRow[]> {
  const { testResults } = Report.parse(await runVitest('test/forges', process.env))
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .flatMap(({ status, meta }) => (meta.forge ? [{ ...meta.forge, passed: status === 'passed' }] : []))
}

/** Properties down, forges across; what a forge cannot do is a dash with its sentence below. */
export function tableOfForges(rows: readonly ForgeRow[]): string {
  const columns = [...new Map(rows.map(({ forge, against }) => [`${forge} ${against}`, { forge, against }])).values()]
  const notes: string[] = []
  const cell = (column: { forge: string; against: string }, property: string): string => {
    const row = rows.find(
      (its) => its.forge === column.forge && its.against === column.against && its.property === property,
    )
    if (row === undefined) return 'not run'
    if (!row.passed) return '**no**'
    if (row.cannot === null) return 'yes'
    if (!notes.includes(row.cannot)) notes.push(row.cannot)
    return `– <sup>${notes.indexOf(row.cannot) + 1}</sup>`
  }
  const head = [
    ['', ...columns.map(({ forge }) => `\`${forge}\``)],
    ['against', ...columns.map(({ against }) => against)],
  ]
  const body = Object.entries(PROPERTIES).map(([property, text]) => [
    `${text} (${property})`,
    ...columns.map((column) => cell(column, property)),
  ])
  return markdownTable([...head, ...body], notes)
}

/** Puts the table and the day on which it was made into the page of forges. */
export const writeForges = (table: string): void =>
  writeTable('forges.md', `Run on ${new Date().toISOString().slice(0, 10)}.\n\n${table}`)
