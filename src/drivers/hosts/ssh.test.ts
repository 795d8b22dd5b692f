import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type TestContext, testContext, type TestContextOptions } from '../testing/context.ts'
import { type HostSettings, hostSettings } from './config.ts'
import { onEachHost } from './each.ts'
import { hasSshd, type Sshd, startSshd } from './testing/sshd.ts'

const Settings = z.strictObject(hostSettings)

describe.skipIf(!hasSshd())('hosts over SSH (OpenSSH server of this machine)', () => {
  let sshd: Sshd
  let context: TestContext<HostSettings>
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd.stop())
  afterEach(() => context?.remove())

  const open = async (given: object = {}, more: Partial<TestContextOptions<HostSettings>> = {}) => {
    context = await testContext<HostSettings>({
      config: Settings.parse({
        hosts: [{ name: 'one', address: '127.0.0.1', port: sshd.port }],
        ssh: { user: sshd.user, identity: 'KEY', knownHosts: 'known_hosts' },
        ...given,
      }),
      files: {
        'stack/known_hosts': sshd.knownHosts,
        'stack/a.txt': 'A\n',
        'roles/r/run.sh': { content: 'x', mode: 0o755 },
      },
      ...more,
      env: Object.assign({ KEY: sshd.privateKey }, more.env),
    })
    return context
  }

  test('a host gets the source, runs programs in a private directory, and keeps nothing', async () => {
    await open({ variables: ['TOKEN'] }, { env: { TOKEN: "it's secret" } })
    let directory = ''
    const [outcome] = await onEachHost(context, async (host) => {
      directory = host.directory
      const places = await host.place({
        paths: ['stack', 'roles/r', 'not-there'],
        extra: { more: join(context.workspace, 'roles') },
      })
      await host.write('deep/er', 'text')
      const ran = await host.run({
        argv: [
          'sh',
          '-c',
          'stat -c %a . deep/er; ls -l "$0/roles/r/run.sh" | cut -c1-10; cat "$0/stack/a.txt"; echo "$TOKEN $EXTRA"; exit 3',
          places.root,
        ],
        env: { EXTRA: 'a b' },
      })
      const read = await host.read(join(places.extra.more!, 'r/run.sh'), 100)
      return {
        ran,
        read: read?.toString(),
        none: await host.read('/not/there', 10),
        sh: await host.which(['nope', 'sh']),
      }
    })
    expect(outcome!.value).toMatchObject({
      ran: { exitCode: 3, stdout: "700\n600\n-rwxr-xr-x\nA\nit's secret a b\n" },
      read: 'x',
      none: null,
      sh: expect.stringMatching(/^\/.*\/sh$/) as string,
    })
    expect(directory).not.toBe('')
    expect(existsSync(directory)).toBe(false)
  })

  test('a cancel ends what runs on the host, and clears up there', async () => {
    await open()
    let directory = ''
    const mark = join(context.root, 'pid')
    const running = onEachHost(context, async (host) => {
      directory = host.directory
      // The shell's child ignores the first signal's default way out: it must be ended with its group.
      return host.run({ argv: ['sh', '-c', `sleep 300 & echo $! >${mark}; wait`] })
    })
    await until(() => existsSync(mark))
    await sleep(50)
    const pid = Number(await readFile(mark, 'utf8'))
    context.cancel()
    expect((await running)[0]!.value).toMatchObject({ canceled: true })
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(existsSync(directory)).toBe(false)
  })

  test('a cancel also ends commands with a session of their own, on the host and here', {
    timeout: 60_000,
  }, async () => {
    for (const hosts of [undefined, 'local']) {
      await open(hosts === undefined ? {} : { hosts })
      const mark = join(context.root, 'pid')
      const running = onEachHost(context, (host) =>
        host.run({ argv: ['sh', '-c', `setsid sleep 300 & echo $! >${mark}; wait`], guarded: true }),
      )
      await until(() => existsSync(mark))
      await sleep(50)
      const pid = Number(await readFile(mark, 'utf8'))
      context.cancel()
      expect((await running)[0]!.value).toMatchObject({ canceled: true })
      expect(existsSync(`/proc/${pid}`)).toBe(false)
      if (hosts === undefined) await context.remove()
    }
  })

  test('a program that is guarded keeps its exit code and its input', async () => {
    await open()
    const guarded = { argv: ['sh', '-c', 'cat; exit 7'], input: 'given', guarded: true }
    const [outcome] = await onEachHost(context, (host) => host.run(guarded))
    expect(outcome!.value).toMatchObject({ exitCode: 7, stdout: 'given' })
  })

  test('a program on the host that ignores signals is killed', { timeout: 300_000 }, async () => {
    await open()
    const mark = join(context.root, 'pid')
    const running = onEachHost(context, (host) =>
      host.run({ argv: ['sh', '-c', `trap '' TERM INT; echo $$ >${mark}; while :; do sleep 1; done`] }),
    )
    await until(() => existsSync(mark))
    await sleep(50)
    const pid = Number(await readFile(mark, 'utf8'))
    context.cancel()
    await running
    await until(() => !existsSync(`/proc/${pid}`))
  })

  test('hosts work side by side, and one that is down does not hide the others', async () => {
    await open({
      hosts: [
        { name: 'one', address: '127.0.0.1', port: sshd.port },
        { name: 'down', address: '127.0.0.1', port: 1 },
        { name: 'two', address: '127.0.0.1', port: sshd.port },
      ],
    })
    const outcomes = await onEachHost(context, async (host) =>
      (await host.run({ argv: ['echo', host.name] })).stdout.trim(),
    )
    expect(outcomes).toMatchObject([
      { name: 'one', value: 'one' },
      { name: 'down', error: { code: 'TARGET_UNREACHABLE' } },
      { name: 'two', value: 'two' },
    ])
  })

  test('no host at all is an error', async () => {
    await open({ hosts: [{ address: '127.0.0.1', port: 1 }] })
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  })

  test('a host whose key is not known is not connected to, and the error says what to do', async () => {
    await open({}, { files: { 'stack/known_hosts': '' } })
    const refused = onEachHost(context, () => Promise.resolve(1))
    await expect(refused).rejects.toMatchObject({
      code: 'TARGET_UNSAFE',
      text: {
        why: 'its host key is not known',
        next: expect.stringContaining(`ssh-keyscan -p ${sshd.port}`) as string,
      },
    })
  })

  test('a host that shows another key is refused', async () => {
    await open()
    const other = await startSshd()
    try {
      const theirs = other.knownHosts.replace(/^\S+/, `[127.0.0.1]:${sshd.port}`)
      await context.write({ 'stack/known_hosts': theirs })
      await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({
        code: 'TARGET_UNSAFE',
        text: { why: expect.stringContaining('another host key') as string },
      })
    } finally {
      await other.stop()
    }
  })

  test('a key that the host does not know, and one that is none, are TARGET_DENIED', async () => {
    await open()
    const other = await startSshd()
    await other.stop()
    context.env.KEY = other.privateKey
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({ code: 'TARGET_DENIED' })
    context.env.KEY = 'no key'
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({
      code: 'TARGET_DENIED',
      text: { why: expect.stringContaining('no private key') as string },
    })
  })

  test('addresses come from inputs, one host for each of a list', async () => {
    await open(
      { hosts: [{ name: 'web', address: '${inputs.web_ips}', port: sshd.port }] },
      { inputs: { web_ips: { value: ['127.0.0.1', '127.0.0.1'], sensitive: false } } },
    )
    const outcomes = await onEachHost(context, (host) => Promise.resolve(host.name))
    expect(outcomes.map(({ value }) => value)).toEqual(['web-1', 'web-2'])
    context.inputs = {}
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('a connection that is cut while a program runs is TARGET_UNREACHABLE', async () => {
    await open()
    const mark = join(context.root, 'pid')
    const running = onEachHost(context, (host) =>
      host.run({ argv: ['sh', '-c', `cut -d' ' -f4 /proc/$PPID/stat >${mark}.new; mv ${mark}.new ${mark}; sleep 60`] }),
    )
    await until(() => existsSync(mark))
    await sleep(50)
    process.kill(Number(await readFile(mark, 'utf8')), 'SIGKILL')
    await expect(running).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  })

  test('settings without known hosts or without the key are errors that say how to set them', async () => {
    await open({ ssh: { user: sshd.user } })
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      text: { next: expect.stringContaining('ssh-keyscan') as string },
    })
    await open({ ssh: { user: sshd.user, identity: 'OTHER', knownHosts: 'known_hosts' } })
    await expect(onEachHost(context, () => Promise.resolve(1))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      text: { next: expect.stringContaining('trueup variable set OTHER') as string },
    })
  })
})

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!condition()) {
    if (Date.now() > end) throw new Error('waited in vain')
    await sleep(20)
  }
}
