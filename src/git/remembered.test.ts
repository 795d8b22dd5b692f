import { expect, test } from 'vitest'
import { createRemembered } from './remembered.ts'

test('a question is answered once, also when it is asked twice at a time; the oldest answer goes first', async () => {
  const remembered = createRemembered<string>(2)
  let asked = 0
  const find = (): Promise<string> => Promise.resolve(`answer ${++asked}`)
  expect(await Promise.all([remembered.answer('a', find), remembered.answer('a', find)])).toEqual([
    'answer 1',
    'answer 1',
  ])
  expect(await remembered.answer('b', find)).toBe('answer 2')
  expect(await remembered.answer('c', find)).toBe('answer 3')
  expect(await remembered.answer('b', find)).toBe('answer 2')
  expect(await remembered.answer('a', find)).toBe('answer 4')
})

test('an error and what is too large are not kept', async () => {
  const remembered = createRemembered<string>(2)
  await expect(remembered.answer('a', () => Promise.reject(new Error('the disk hangs')))).rejects.toThrow('hangs')
  expect(
    await remembered.answer(
      'a',
      () => Promise.resolve('large'),
      () => false,
    ),
  ).toBe('large')
  expect(await remembered.answer('a', () => Promise.resolve('small'))).toBe('small')
  expect(await remembered.answer('a', () => Promise.resolve('never asked'))).toBe('small')
})
