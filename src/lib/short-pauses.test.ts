import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { SHORT_PAUSES } from './short-pauses.ts'

const SOURCE = new URL('./short-pauses.ts', import.meta.url).href
/** Keeps what it makes, as a server does that thousands connect to: says how large the young generation has become, in MB. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8'
  if (process.argv[1] === 'short') (await import('${SOURCE}')).keepPausesShort()
  const kept = []
  for (let at = 0; at < 600_000; at++) kept.push({ at, list: [at] })
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  console.log(young.space_size / 1e6, kept.length)
`
const youngMegabytes = (how: string, ...flags: string[]): number =>
  Number.parseFloat(
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...flags, '--input-type=module', '--eval', PROGRAM, how],
      { encoding: 'utf8' },
    ),
  )

it('keeps what V8 has to copy in one pause small, in this process and in those that are started', () => {
  expect(youngMegabytes('long')).toBeGreaterThan(30)
  expect(youngMegabytes('short')).toBeLessThan(10)
  expect(youngMegabytes('long', ...SHORT_PAUSES)).toBeLessThan(10)
})
