import { describe, expect, test } from 'vitest'
import { estates, scoreOf } from './score.ts'

describe.each(estates())('$kind: $estate.name', ({ kind, estate }) => {
  test('is seen as somebody would who knows the tools', async () => {
    const { missing, bogus, dangerous } = await scoreOf(kind, estate)
    expect({ missing, bogus, dangerous }).toEqual({ missing: [], bogus: [], dangerous: [] })
  })
})
