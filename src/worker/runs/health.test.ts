import { expect, test } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { checkHealth } from './health.ts'

const mask = (text: string): string => text.replaceAll('hunter2', '***')

test('a healthy stack passes, and its lines go into the log', async () => {
  const lines: string[] = []
  const { result: verdict } = await checkHealth(
    () => Promise.resolve({ healthy: true, lines: ['3 of 3 ready'] }),
    { log: (line) => void lines.push(line) },
    mask,
  )
  expect(verdict).toMatchObject({ name: 'health', ok: true, output: '3 of 3 ready' })
  expect(lines).toEqual(['3 of 3 ready'])
})

test('a sick stack fails, secrets masked', async () => {
  const { result: verdict } = await checkHealth(
    () => Promise.resolve({ healthy: false, lines: ['Pod x: wrong password hunter2'] }),
    { log: () => undefined },
    mask,
  )
  expect(verdict).toMatchObject({ ok: false, output: 'Pod x: wrong password ***' })
})

test('a target that does not answer is a verdict and no fault', async () => {
  const { result: verdict } = await checkHealth(
    () => Promise.reject(new TrueupError('TARGET_UNREACHABLE', { doing: 'asking the cluster', why: 'no route' })),
    { log: () => undefined },
    mask,
  )
  expect(verdict.ok).toBe(false)
  expect(verdict.output).toContain('no route')
})
