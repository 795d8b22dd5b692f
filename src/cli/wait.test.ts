import { expect, it } from 'vitest'
import { waitFor } from './wait.ts'

it('says what was waited for when it is interrupted in the middle of a question', async () => {
  const controller = new AbortController()
  const ask = (): Promise<never> => {
    controller.abort()
    return Promise.reject(new Error('asking the server: it was interrupted'))
  }
  const waiting = waitFor(ask, () => true, { doing: 'waiting for !1', timeoutMs: 1000, signal: controller.signal })
  await expect(waiting).rejects.toMatchObject({
    code: 'CANCELED',
    text: { doing: 'waiting for !1', next: expect.stringContaining('goes on') },
  })
})

it('passes on what else goes wrong', async () => {
  const { signal } = new AbortController()
  const waiting = waitFor(
    () => Promise.reject(new Error('no')),
    () => true,
    { doing: 'waiting', timeoutMs: 1000, signal },
  )
  await expect(waiting).rejects.toThrow('no')
})
