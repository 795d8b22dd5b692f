import { readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { refusal } from '../conformance/bench.ts'
import { isDataLocked, lockDataDirectory, readHolder } from './lock.ts'
import { openStore } from '../open.ts'
import { temporaryDirectory } from '../testing/directory.ts'
import { startChild } from '../testing/process.ts'

it('refuses a second process and names the first, also when that one does not move', async () => {
  const dataDir = await temporaryDirectory()
  const holder = startChild(['hold', dataDir])
  try {
    await holder.hears('open')
    const refused = await refusal(openStore(dataDir), 'DATA_LOCKED')
    expect(refused.text.why).toContain(`process ${holder.pid} on ${hostname()}, since 20`)
    expect(refused.text.details).toMatchObject({ pid: holder.pid, host: hostname() })
    process.kill(holder.pid, 'SIGSTOP')
    await refusal(openStore(dataDir), 'DATA_LOCKED')
    expect(isDataLocked(dataDir)).toBe(true)
  } finally {
    await holder.kill()
  }
  // Its lock.json is still there, and it is dead.
  expect(JSON.parse(await readFile(join(dataDir, 'lock.json'), 'utf8'))).toMatchObject({ pid: holder.pid })
  expect(isDataLocked(dataDir)).toBe(false)
  await (await openStore(dataDir)).close()
})

it('refuses a second store in the same process, and opens again after close', async () => {
  const dataDir = await temporaryDirectory()
  const store = await openStore(dataDir)
  const refused = await refusal(openStore(dataDir), 'DATA_LOCKED')
  expect(refused.text.why).toContain(`process ${process.pid}`)
  await store.close()
  await (await openStore(dataDir)).close()
})

it('lets exactly one of several win that start at the same time', { timeout: 300_000 }, async () => {
  const dataDir = await temporaryDirectory()
  for (let round = 0; round < 3; round++) {
    const rivals = [1, 2, 3, 4].map(() => startChild(['hold', dataDir]))
    await Promise.all(rivals.map((rival) => rival.lines(1)))
    const outcomes = rivals.map((rival) => rival.said[0] ?? {})
    const winners = outcomes.filter((outcome) => 'open' in outcome)
    const codes = outcomes.flatMap((outcome) => ('error' in outcome ? [(outcome.error as { code: string }).code] : []))
    await Promise.all(rivals.map((rival) => rival.kill()))
    expect(winners).toHaveLength(1)
    expect(codes).toEqual(['DATA_LOCKED', 'DATA_LOCKED', 'DATA_LOCKED'])
  }
})

it('does not take a later process with the same number for the holder', async () => {
  const dataDir = await temporaryDirectory()
  const lock = await lockDataDirectory(dataDir)
  const holder = await readHolder(dataDir)
  expect(holder?.pid).toBe(process.pid)
  await writeFile(join(dataDir, 'lock.json'), JSON.stringify({ ...holder, startTime: '1' }))
  expect(await readHolder(dataDir)).toBeUndefined()
  const refused = await refusal(lockDataDirectory(dataDir), 'DATA_LOCKED')
  expect(refused.text.why).toContain('has not written its name')
  await writeFile(join(dataDir, 'lock.json'), '{"pid":')
  expect(await readHolder(dataDir)).toBeUndefined()
  lock.release()
})

it('says so when the lock file is something else', async () => {
  const dataDir = await temporaryDirectory()
  await writeFile(join(dataDir, 'lock.db'), 'this is no database, whatever its name says: '.repeat(50))
  await refusal(lockDataDirectory(dataDir), 'DATA_CORRUPT')
})
