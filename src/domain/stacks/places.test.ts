import { describe, expect, it } from 'vitest'
import type { Place } from '../plans/place.ts'
import { above, overlap, placeConflicts, placeTaken } from './places.ts'

const directory = (path: string, ...except: string[]): Place => ({ address: `files:default:${path}`, except })

describe('places', () => {
  it('are one where the address is one, or one directory is inside the other', () => {
    const etc = directory('/etc')
    const table: [Place, Place, boolean][] = [
      [etc, directory('/etc'), true],
      [etc, directory('/etc/nginx'), true],
      [etc, directory('/etc/nginx/conf.d'), true],
      [etc, directory('/etcetera'), false],
      [etc, directory('/srv/etc'), false],
      [directory('/'), directory('/srv'), true],
      [etc, { address: 'files:edge:/etc', except: [] }, false],
      [{ address: 'terraform:s3 bucket=b key=a' }, { address: 'terraform:s3 bucket=b key=a/b' }, false],
      [{ address: 'terraform:s3 bucket=b key=a' }, { address: 'terraform:s3 bucket=b key=a' }, true],
    ]
    for (const [a, b, expected] of table) {
      expect(overlap(a, b), `${a.address} and ${b.address}`).toBe(expected)
      expect(overlap(b, a), `${b.address} and ${a.address}`).toBe(expected)
    }
  })

  it('an outer directory leaves an inner one to another stack only where it excludes all of it', () => {
    const nginx = directory('/etc/nginx')
    for (const glob of ['nginx/**', '**', '*/**']) expect(overlap(directory('/etc', glob), nginx), glob).toBe(false)
    for (const glob of ['nginx', 'nginx/*', 'nginx/**/*.conf', 'nginx/conf.d/**', 'ngin/**'])
      expect(overlap(directory('/etc', glob), nginx), glob).toBe(true)
    expect(overlap(directory('/etc'), directory('/etc/nginx', '**'))).toBe(true)
    expect(overlap(directory('/etc', 'nginx/**'), directory('/etc'))).toBe(true)
  })

  it('files of a host may be had together by stacks of one environment only', () => {
    const file = (path: string): Place => ({ address: `host:web1~1:${path}`, shared: true })
    const motd = file('/etc/motd')
    const etc: Place = { address: 'host:web1~1:/etc', except: ['nginx/**', 'motd'] }
    const told = (...stacks: [string, Place][]) =>
      placeConflicts(stacks.map(([key, place]) => ({ key, place }))).map(({ key, other }) => [key, other])
    expect(told(['live/a', motd], ['live/b', motd])).toEqual([])
    expect(told(['live/a', motd], ['test/a', motd], ['live/b', motd])).toEqual([['test/a', 'live/a']])
    expect(told(['live/a', motd], ['test/all', etc])).toEqual([])
    expect(told(['live/a', file('/etc/hosts')], ['test/all', etc])).toEqual([['live/a', 'test/all']])
    expect(told(['live/a', file('/etc/hosts')], ['live/all', etc])).toEqual([])
    // A stack is nobody's rival but others'.
    expect(told(['live/all', etc], ['live/all', { address: 'host:web1~1:/etc/ssl', except: [] }])).toEqual([])
  })

  it('finds the directories above an address', () => {
    expect([...above('files:default:/etc/nginx/conf.d')]).toEqual([
      'files:default:/etc/nginx',
      'files:default:/etc',
      'files:default:/',
    ])
    expect([...above('files:default:/')]).toEqual([])
    expect([...above('terraform:gcs bucket=b')]).toEqual([])
  })

  it('names each pair of one configuration once, and both stacks', () => {
    const conflicts = placeConflicts([
      { key: 'staging/web', place: directory('/srv/web') },
      { key: 'staging/none', place: null },
      { key: 'production/web', place: directory('/srv/web') },
      { key: 'production/all', place: directory('/srv') },
      { key: 'production/other', place: directory('/opt') },
    ])
    expect(conflicts.map(({ key, other }) => [key, other])).toEqual([
      ['production/web', 'staging/web'],
      ['staging/web', 'production/all'],
    ])
    const { code, message } = placeTaken(conflicts[0]!)
    expect(code).toBe('PLACE_TAKEN')
    for (const name of ['staging/web', 'production/web', '/srv/web', 'pool "default"']) expect(message).toContain(name)
  })
})
