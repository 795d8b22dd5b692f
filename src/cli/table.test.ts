import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Drawing, drawTable, goes, id, shrinks, state } from './table.ts'

const HEADINGS = [id('run'), shrinks('title'), state('state'), goes('commit'), 'updated']
const RUN = `run_${'0q5d1xk2m00'}abcdefgh`
const ROWS = [
  [RUN, 'Raise the limit of what the web tier may take', 'awaiting_approval', '0123456789', '5 min ago'],
  [RUN, 'Short', 'failed', '0123456789', '2 h ago'],
]
const draw = (given: Partial<Drawing>): string[] =>
  drawTable(HEADINGS, ROWS, { width: undefined, colours: false, columns: undefined, ...given }).split('\n')

describe('a table', () => {
  it('is whole where nothing bounds it', () => {
    expect(draw({})[1]).toBe(
      `${RUN}  Raise the limit of what the web tier may take  awaiting_approval  0123456789  5 min ago`,
    )
  })

  it('first cuts ids to what tells them apart, and texts with an ellipsis', () => {
    const [, first] = draw({ width: 90 })
    expect(first).toMatch(/^run_0q5d1xk2m00 {2}Raise the limit of .*… {2}awaiting_approval {2}0123456789 {2}5 min ago$/)
    expect(first).toHaveLength(90)
  })

  it('then leaves out what can be missed, and says so; the state is never cut', () => {
    const lines = draw({ width: 64 })
    expect(lines[0]).toMatch(/^RUN +TITLE +STATE +UPDATED$/)
    expect(lines[1]).toContain('awaiting_approval')
    expect(lines.at(-1)).toBe('(no room for commit: --columns names what to show)')
    for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(64)
  })

  it.each([40, 20, 5, 1])('of %d columns still says what it is looked at for', (width) => {
    expect(draw({ width })[1]).toContain('awaiting_approval')
  })

  it('shows the columns that are asked for, in their order and whole', () => {
    expect(draw({ width: 20, columns: ['commit', 'title'] })).toEqual([
      'COMMIT      TITLE',
      '0123456789  Raise the limit of what the web tier may take',
      '0123456789  Short',
    ])
    expect(() => draw({ columns: ['commit', 'nosuch'] })).toThrow(
      expect.objectContaining({
        text: expect.objectContaining({ next: 'It has run, title, state, commit, updated.' }),
      }),
    )
  })

  it('colours states by what they mean, and aligns them as if it did not', () => {
    const [, waits, failed] = draw({ colours: true })
    expect(waits).toContain('\u001b[33mawaiting_approval\u001b[39m')
    expect(failed).toContain('\u001b[31mfailed\u001b[39m')
    expect([waits!, failed!].map((line) => stripVTControlCharacters(line))).toEqual(draw({}).slice(1))
  })
})
