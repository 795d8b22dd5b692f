import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { programsOfRoot } from './root-programs.ts'

const directory = mkdtempSync(join(tmpdir(), 'trueup-root-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('only the programs that are asked for come from a root', () => {
  const root = join(directory, 'root')
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  for (const name of ['tool', 'tool-more', 'other']) writeFileSync(join(root, 'usr/bin', name), '')
  const programs = programsOfRoot(root, 'tool*')
  expect(readdirSync(programs).toSorted()).toEqual(['tool', 'tool-more'])
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0
test.skipIf(!canMount)('they run where they were started and end as themselves (needs Linux and root)', () => {
  // This machine's own system stands for another one: what is asked is how programs are started in it.
  const argv = ['/', '/bin/sh', '-c', 'pwd; echo "$1"; exit 7', 'sh', 'two words']
  const ended = spawnSync(join(import.meta.dirname, 'run-in-root'), argv, { cwd: directory, encoding: 'utf8' })
  expect([ended.status, ended.stdout]).toEqual([7, `${directory}\ntwo words\n`])
})
