import { describe, expect, it } from 'vitest'
import type { DeedKind, RecordedDeed } from './deeds.ts'
import { originOf } from './origin.ts'

type Row = [run: string, did: DeedKind, address: string, from?: string]

/** Deeds in the order of their making; runs that begin with `heal` are heals. */
const deedsOf = (rows: readonly Row[]): RecordedDeed[] =>
  rows.map(([runId, did, address, from]) => ({
    runId,
    did,
    address,
    kind: runId.startsWith('heal') ? 'heal' : 'deploy',
    ...(from !== undefined && { from }),
  }))

describe('the origin of an object', () => {
  it.each<[string, Row[], string, string | null]>([
    ['nothing on record', [], 'unknown', null],
    ['only others on record', [['r1', 'created', 'b']], 'unknown', null],
    ['made', [['r1', 'created', 'a']], 'created', 'r1'],
    [
      'made, and made anew by a later run',
      [
        ['r1', 'created', 'a'],
        ['r2', 'created', 'a'],
      ],
      'created',
      'r2',
    ],
    ['imported', [['r1', 'adopted', 'a']], 'adopted', 'r1'],
    ['changed without having been made', [['r1', 'found', 'a']], 'found', 'r1'],
    [
      'imported, and replaced by a later run',
      [
        ['r1', 'adopted', 'a'],
        ['r2', 'created', 'a'],
      ],
      'created',
      'r2',
    ],
    [
      'made, deleted',
      [
        ['r1', 'created', 'a'],
        ['r2', 'deleted', 'a'],
      ],
      'unknown',
      null,
    ],
    [
      'made, let go of',
      [
        ['r1', 'created', 'a'],
        ['r2', 'forgot', 'a'],
      ],
      'unknown',
      null,
    ],
    [
      'made, let go of, imported',
      [
        ['r1', 'created', 'a'],
        ['r2', 'forgot', 'a'],
        ['r3', 'adopted', 'a'],
      ],
      'adopted',
      'r3',
    ],
    [
      'made, and made again by a heal',
      [
        ['r1', 'created', 'a'],
        ['heal', 'created', 'a'],
      ],
      'created',
      'r1',
    ],
    [
      'imported, and made again by a heal',
      [
        ['r1', 'adopted', 'a'],
        ['heal', 'created', 'a'],
      ],
      'adopted',
      'r1',
    ],
    [
      'made by heals only',
      [
        ['heal1', 'created', 'a'],
        ['heal2', 'created', 'a'],
      ],
      'created',
      'heal2',
    ],
    [
      'deleted, then made by a heal',
      [
        ['r1', 'deleted', 'a'],
        ['heal', 'created', 'a'],
      ],
      'created',
      'heal',
    ],
  ])('%s', (_what, rows, how, runId) => {
    expect(originOf('a', deedsOf(rows))).toEqual({ how, runId, moves: [], replacing: [] })
  })

  it.each<[string, Row[], string, string | null, { runId: string; from: string }[]]>([
    [
      'made, then moved',
      [
        ['r1', 'created', 'old'],
        ['r2', 'moved', 'a', 'old'],
      ],
      'created',
      'r1',
      [{ runId: 'r2', from: 'old' }],
    ],
    [
      'moved twice',
      [
        ['r1', 'adopted', 'x'],
        ['r2', 'moved', 'y', 'x'],
        ['r3', 'moved', 'a', 'y'],
      ],
      'adopted',
      'r1',
      [
        { runId: 'r3', from: 'y' },
        { runId: 'r2', from: 'x' },
      ],
    ],
    [
      'of unknown origin, with another made in its old place by the run that moved it',
      [
        ['r1', 'created', 'old'],
        ['r1', 'moved', 'a', 'old'],
      ],
      'unknown',
      null,
      [{ runId: 'r1', from: 'old' }],
    ],
    [
      'moved on, with another moved into its old place by the same run',
      [
        ['r1', 'created', 'x'],
        ['r2', 'adopted', 'y'],
        ['r3', 'moved', 'y', 'x'],
        ['r3', 'moved', 'a', 'y'],
      ],
      'adopted',
      'r2',
      [{ runId: 'r3', from: 'y' }],
    ],
    [
      'changed places with another',
      [
        ['r1', 'created', 'a'],
        ['r2', 'adopted', 'b'],
        ['r3', 'moved', 'b', 'a'],
        ['r3', 'moved', 'a', 'b'],
      ],
      'adopted',
      'r2',
      [{ runId: 'r3', from: 'b' }],
    ],
    [
      'moved there and back',
      [
        ['r1', 'created', 'a'],
        ['r2', 'moved', 'b', 'a'],
        ['r3', 'moved', 'a', 'b'],
      ],
      'created',
      'r1',
      [
        { runId: 'r3', from: 'b' },
        { runId: 'r2', from: 'a' },
      ],
    ],
    [
      'moved and replaced in one',
      [
        ['r1', 'adopted', 'b'],
        ['r2', 'moved', 'a', 'b'],
        ['r2', 'created', 'a'],
      ],
      'created',
      'r2',
      [],
    ],
  ])('%s', (_what, rows, how, runId, moves) => {
    expect(originOf('a', deedsOf(rows))).toMatchObject({ how, runId, moves })
  })
})
