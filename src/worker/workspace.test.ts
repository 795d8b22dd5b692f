import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../lib/log.ts'
import { mountsBelow, openWorkspaces } from './workspace.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trueup-workspace-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a workspace is private, fresh, and gone after it, read-only directories included', async () => {
  const workspaces = openWorkspaces(join(dir, 'ws'), silentLogger)
  const first = await workspaces.create('run_1/../x-1')
  expect(statSync(first.scratch).mode & 0o777).toBe(0o700)
  expect(readdirSync(join(dir, 'ws'))).toHaveLength(1)
  mkdirSync(join(first.scratch, 'a/b'), { recursive: true })
  writeFileSync(join(first.scratch, 'a/b/file'), 'x')
  chmodSync(join(first.scratch, 'a/b'), 0o500)
  const again = await workspaces.create('run_1/../x-1')
  expect(again.root).toBe(first.root)
  expect(existsSync(join(again.scratch, 'a'))).toBe(false)
  await workspaces.remove(again)
  expect(readdirSync(join(dir, 'ws'))).toEqual([])
})

test('what an earlier runner left is removed', async () => {
  mkdirSync(join(dir, 'ws/old-1/tree/deep'), { recursive: true })
  await openWorkspaces(join(dir, 'ws'), silentLogger).removeStale()
  expect(readdirSync(join(dir, 'ws'))).toEqual([])
})

test('mount points at and below a directory are found', () => {
  expect(mountsBelow('/proc')).toContain('/proc')
  expect(mountsBelow('/pro')).toEqual([])
  expect(mountsBelow(dir)).toEqual([])
})

const point = () => join(dir, 'ws/old-1/tree/mnt')
const canMount = () => {
  mkdirSync(point(), { recursive: true })
  return spawnSync('mount', ['-t', 'tmpfs', 'trueup-test', point()]).status === 0
}

test('a workspace in which something is mounted is left alone', async ({ skip }) => {
  if (!canMount()) return skip('needs the right to mount')
  try {
    writeFileSync(join(point(), 'precious'), 'x')
    await openWorkspaces(join(dir, 'ws'), silentLogger).removeStale()
    expect(existsSync(join(point(), 'precious'))).toBe(true)
  } finally {
    spawnSync('umount', [point()])
  }
})
