import { describe, expect, it } from 'vitest'
import { agreedProtocol, disagreement, OLDEST_PROTOCOL, PROTOCOL_VERSION, type Speaker } from './versions.ts'

const speaker = (protocol: number, oldest?: number): Speaker => ({ version: `0.${protocol}.0`, protocol, oldest })

describe('two versions agree', () => {
  it.each([
    [speaker(2, 1), speaker(2, 1), 2],
    [speaker(1), speaker(2, 1), 1],
    [speaker(2, 1), speaker(1), 1],
    [speaker(5, 3), speaker(3, 1), 3],
    [speaker(3, 1), speaker(5, 3), 3],
    [speaker(5, 3), speaker(2, 1), null],
    [speaker(2, 1), speaker(5, 3), null],
    [speaker(3), speaker(2, 1), null],
  ])('%o and %o: %o', (one, other, agreed) => {
    expect(agreedProtocol(one, other)).toBe(agreed)
  })

  it('on all that two minor versions apart can speak', () => {
    const of = (protocol: number) => speaker(protocol, Math.max(1, protocol - 2))
    for (let protocol = 1; protocol < 10; protocol++)
      for (const apart of [0, 1, 2]) expect(agreedProtocol(of(protocol), of(protocol + apart))).toBe(protocol)
    expect(PROTOCOL_VERSION - OLDEST_PROTOCOL).toBeLessThanOrEqual(2)
  })
})

it('a disagreement names both, and who has to be upgraded', () => {
  expect(disagreement(speaker(2, 1), speaker(5, 3))).toEqual({
    why: 'the worker is Trueup 0.2.0 with protocols 1 to 2, the server 0.5.0 with protocols 3 to 5',
    next: 'Upgrade the worker to 0.5.0, or to a version at most two minor ones before it.',
  })
  expect(disagreement(speaker(5, 3), speaker(1)).next).toContain('Upgrade the server to 0.5.0')
})
