import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openReports } from './reports.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-reports-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Nothing here is about power cuts, and each write would wait for the disk. */
function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA synchronous = OFF')
  return database
}

const report = (at: number) => ({
  stackId: 'stk_1',
  commit: 'c'.repeat(40),
  at,
  outcome: 'healed' as const,
  why: '',
  addresses: ['motd'],
})

it('of more than 5,000 the oldest go, their numbers are told by the next one, and a restart changes nothing', () => {
  const file = join(directory, 'held.sqlite')
  const first = open(file)
  const reports = openReports(first)
  for (let at = 1; at <= 5_050; at++) reports.add(report(at))
  expect(reports.count()).toBe(5_000)
  first.close()
  const again = open(file)
  const waiting = openReports(again)
  const told: number[] = []
  for (let next = waiting.first(); next && told.length < 3; next = waiting.first()) {
    expect(next.at).toBe(next.number)
    told.push(next.number)
    waiting.remove(next.number)
  }
  expect(told).toEqual([51, 52, 53])
  // Numbers go on even where all were delivered: a number never means two reports.
  while (waiting.first()) waiting.remove(waiting.first()!.number)
  waiting.add(report(0))
  expect(waiting.first()!.number).toBe(5_051)
  again.close()
})
