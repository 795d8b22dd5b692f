import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithHosts, type TestHosts, upHosts } from './hosts.ts'

const run = promisify(execFile)

describeWithHosts('test hosts', () => {
  let world: TestHosts
  const ssh = (host: string, ...words: string[]) =>
    run('ssh', ['-F', world.sshConfig, '-o', 'ConnectTimeout=2', host, ...words], { timeout: 180_000 })

  beforeAll(async () => {
    world = await upHosts(3)
  })
  afterAll(async () => {
    await world?.close()
  })

  it('are separate hosts that answer by SSH', async () => {
    const names = await Promise.all(world.hosts.map(({ address }) => ssh(address, 'hostname')))
    expect(names.map(({ stdout }) => stdout.trim())).toEqual(['host1', 'host2', 'host3'])
  })

  it('have each a file system of their own', async () => {
    await ssh('host1', 'echo one > /etc/trueup-only-here')
    expect(await world.exec(1, 'cat /etc/trueup-only-here')).toBe('one\n')
    await expect(world.exec(2, 'cat /etc/trueup-only-here')).rejects.toThrow(/No such file/)
    expect(existsSync('/etc/trueup-only-here')).toBe(false)
  })

  it('can be cut off, reconnected and crashed', async () => {
    await world.cutOff(2)
    await expect(ssh('host2', 'true')).rejects.toThrow(/timed out|No route to host/)
    await world.reconnect(2)
    await ssh('host2', 'true')
    await world.crash(3)
    await expect(ssh('host3', 'true')).rejects.toThrow(/timed out|No route to host/)
    await ssh('host1', 'true')
  })

  it('leave nothing', async () => {
    const other = await upHosts(1)
    await other.close()
    expect(existsSync(other.directory)).toBe(false)
  })
})
