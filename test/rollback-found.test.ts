import { mkdirSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type LiveServer, startLiveServer, until as untilWithin } from '../src/server/testing/live.ts'
import { describeWithTool } from './tools.ts'

/** A tool that keeps the files of a list, and removes what it has once kept and does not any more. */
const KEEPER = `#!/usr/bin/env python3
import json, os, sys
request = json.load(sys.stdin)
target = request['settings']['target']
def say(**message): print(json.dumps(message), flush=True)
def lines(path): return open(path).read().split() if os.path.exists(path) else []
wanted, kept, there = lines('things'), lines(target + '/.kept'), os.listdir(target)
changes = [(name, 'update' if name in there else 'create') for name in wanted if name not in kept]
changes += [(name, 'delete') for name in kept if name not in wanted and name in there]
if request['verb'] == 'plan':
    for name, action in changes: say(type='change', address=name, actions=[action])
    say(type='coverage', checked=len(changes), unchecked=[])
if request['verb'] == 'apply':
    for name, action in changes:
        os.remove(target + '/' + name) if action == 'delete' else open(target + '/' + name, 'a').write('kept')
        say(type='applied', address=name, status='done')
    open(target + '/.kept', 'w').write(' '.join(wanted))
say(type='done')
`

interface Listed {
  number: number
  origin: string
  state: string
}

describeWithTool('python3', 'a rollback by itself of what stacks found on the host', () => {
  let live: LiveServer
  const until = <T>(look: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> => untilWithin(look, fits, 60_000)
  const at = (name: string): string => join(live.directory, name)
  const mrs = async () => (await live.shop('GET', '/merge-requests')).body.items
  const mr = async (number: number) => (await live.shop('GET', `/merge-requests/${number}`)).body
  const stack = async (name: string) => (await live.shop('GET', `/stack?stack=staging/${name}`)).body

  beforeAll(async () => {
    live = await startLiveServer((directory) => {
      for (const name of ['files', 'things']) mkdirSync(join(directory, name))
      const command = {
        executable: 'python3',
        args: ['keeper.py'],
        settings: { target: join(directory, 'things') },
        idempotent: true,
      }
      const stacks = [
        {
          path: 'files',
          driver: 'files',
          with: { target: join(directory, 'files'), prune: 'listed' },
          verify: [`! grep bad ${join(directory, 'files')}/motd`],
        },
        { path: 'things', driver: 'command', with: command, verify: [`! test -e ${join(directory, 'things')}/old`] },
      ]
      const environments = { staging: { tier: 'staging', onFailure: 'rollback', drift: { interval: '1h' } } }
      return {
        'trueup.yaml': JSON.stringify({ version: 1, environments, stacks }),
        'files/base': 'base\n',
        'things/things': 'base',
        'things/keeper.py': KEEPER,
      }
    })
  })
  afterAll(() => live?.close())

  it('waits for a person, who is told why, and leaves everything as it is until then', {
    timeout: 120_000,
  }, async () => {
    for (const name of ['files', 'things']) {
      await until(
        () => stack(name),
        ({ state }) => state === 'in_sync',
      )
    }
    for (const [name, text] of [
      ['files/motd', 'by hand\n'],
      ['files/same', 'same\n'],
      ['things/old', 'by hand'],
    ] as const)
      await writeFile(at(name), text)
    const branch = await live.push('change', {
      'files/motd': 'bad\n',
      'files/same': 'same\n',
      'files/new': 'new\n',
      'things/things': 'base old new',
    })
    const { body: bad } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: 'Take over' })
    await until(
      () => mr(bad.number),
      ({ mergeable }) => mergeable,
    )
    await live.shop('POST', `/merge-requests/${bad.number}/merge`, {})
    // Each of the two has failed to be verified, and each has its rollback or part in one.
    const why = async (): Promise<string> => {
      const open = (await mrs()).filter(({ origin, state }: Listed) => origin === 'rollback' && state === 'open')
      return JSON.stringify(await Promise.all(open.map(async ({ number }: Listed) => (await mr(number)).requirements)))
    }
    const found = `was there before !${bad.number} first changed it`
    const told = [`motd ${found}`, `old ${found}`]
    const reasons = await until(why, (text) => told.every((one) => text.includes(one)))
    // Found as it should be, it was never placed by the stack: nobody wants to remove it.
    expect(reasons).not.toContain('files/same')
    expect((await readdir(at('files'))).filter((name) => !name.startsWith('.')).sort()).toEqual([
      'base',
      'motd',
      'new',
      'same',
    ])
    expect((await readdir(at('things'))).sort()).toEqual(['.kept', 'base', 'new', 'old'])
  })
})
