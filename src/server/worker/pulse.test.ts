import { expect, it } from 'vitest'
import { startPulse } from './pulse.ts'

it('each beats once a round, until it leaves', async () => {
  const pulse = startPulse(120)
  const [beats, left] = [{ a: 0, b: 0 }, { beats: 0 }]
  const a = { beat: () => void beats.a++ }
  const b = { beat: () => void beats.b++ }
  const gone = { beat: () => void left.beats++ }
  for (const member of [a, b, gone]) pulse.add(member)
  pulse.remove(gone)
  try {
    await expect.poll(() => beats.a, { timeout: 60_000 }).toBeGreaterThanOrEqual(3)
    expect(Math.abs(beats.a - beats.b)).toBeLessThanOrEqual(1)
    expect(left.beats).toBe(0)
  } finally {
    pulse.close()
  }
})
