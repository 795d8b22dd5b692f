import { describe, expect, it } from 'vitest'
import { asTraversal } from './ignore.ts'

describe('an ignore rule as Terraform writes it', () => {
  it.each([
    ['tags', 'tags'],
    ['tags.Name', 'tags["Name"]'],
    ['tags["a.b"]', 'tags["a.b"]'],
    ['disk[0].size', 'disk[0].size'],
    ['tags.*', 'tags'],
    ['disk[*].size', 'disk'],
    ['**', 'all'],
    ['ta*', null],
  ])('%s → %s', (attribute, expected) => {
    expect(asTraversal(attribute)).toBe(expected)
  })
})
