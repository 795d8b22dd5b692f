import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeWithSandbox } from '../../../test/sandbox/available.ts'
import { allProcesses } from '../../lib/process/proc.ts'
import type { ProcessSpec } from '../../lib/process/supervise.ts'
import { openSandboxes, type Sandbox } from './sandbox.ts'
import { DEFAULT_LIMITS, type Limits } from './settings.ts'

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

describeWithSandbox('a sandbox', () => {
  let root: string
  let box: Sandbox | undefined
  const lines: string[] = []
  const inside = (...path: string[]): string => join(root, ...path)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'trueup-sandbox-'))
    for (const path of ['data/cache', 'data/other', 'run/tree']) mkdirSync(inside(path), { recursive: true })
    writeFileSync(inside('data/key'), 'canary')
    lines.length = 0
  })
  afterEach(async () => {
    await box?.close()
    rmSync(root, { recursive: true, force: true })
  })

  const open = async (
    limits: Partial<Limits> = {},
    order: { untrusted?: boolean; network?: string[]; service?: string } = {},
  ): Promise<Sandbox> => {
    const sandboxes = openSandboxes({
      mode: 'auto',
      read: [dirname(process.execPath)],
      allow: [],
      limits: { ...DEFAULT_LIMITS, ...limits },
      hide: [inside('data')],
    })
    box = await sandboxes.open({
      untrusted: true,
      network: [],
      workspace: { root: inside('run'), tree: inside('run/tree') },
      cache: inside('data/cache'),
      log: (line) => lines.push(line),
      ...order,
    })
    return box
  }
  const shell = (script: string, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
    argv: ['sh', '-c', script],
    cwd: inside('run/tree'),
    env: { PATH: process.env.PATH ?? '', HOME: inside('run') },
    ...more,
  })

  test.each([true, false])('has its own files and no others of the worker (untrusted: %s)', async (untrusted) => {
    const { run } = await open({}, { untrusted })
    const tried = await run(
      shell(
        `echo made > made; echo kept > ${inside('data/cache/kept')}; pwd; ls ${inside('data')}; cat ${inside('data/key')} && echo read`,
      ),
    )
    expect(tried).toMatchObject({ exitCode: 1, stdout: `${inside('run/tree')}\ncache\n` })
    expect(existsSync(inside('run/tree/made'))).toBe(true)
    expect(existsSync(inside('data/cache/kept'))).toBe(true)
  })

  test('gives a tool its exit code, input, output and directory as outside', async () => {
    const { run } = await open()
    expect(await run(shell('cat; echo said >&2; exit 7', { input: 'given' }))).toMatchObject({
      exitCode: 7,
      stdout: 'given',
      stderr: 'said\n',
    })
  })

  test('a tool that is not there is told as one', async () => {
    const { run } = await open()
    await expect(run(shell('', { argv: ['no-such-tool'] }))).rejects.toMatchObject({ code: 'TOOL_MISSING' })
    await expect(run(shell('', { argv: ['./made'] }))).rejects.toMatchObject({ code: 'TOOL_MISSING' })
  })

  test('a cancel interrupts the tool, which comes to its own end', async () => {
    const { run } = await open()
    const stop = new AbortController()
    const onLine = (line: string): void => {
      if (line === 'ready') stop.abort()
    }
    const script = 'trap "echo saved; exit 3" INT; echo ready; sleep 300 & wait'
    expect(await run(shell(script, { signal: stop.signal, graceMs: 120_000, onLine }))).toMatchObject({
      exitCode: 3,
      canceled: true,
      stdout: 'ready\nsaved\n',
    })
  })

  test('nothing that a tool started outlives it', async () => {
    const { run } = await open()
    const seconds = `300.${process.pid}${Date.now() % 1000}`
    await run(
      shell(`setsid sh -c 'trap "" INT TERM HUP; exec sleep ${seconds}' > /dev/null 2>&1 < /dev/null & sleep 0.1`),
    )
    expect(allProcesses()!.some(({ pid }) => commandOf(pid).includes(seconds))).toBe(false)
  })

  test('links that lead out of it are taken away before the worker meets them', async () => {
    const { run } = await open()
    mkdirSync(inside('run/tree/kept'))
    symlinkSync('../kept', inside('run/tree/kept/inner'))
    await run(
      shell(
        `ln -s ${inside('data/key')} direct; ln -s . a; ln -s a/../../../data/key round; ln -s ../../../new-file dangling; mkfifo pipe; ln -s made later; touch made`,
      ),
    )
    expect(['direct', 'round', 'dangling', 'pipe'].map((name) => isThere(inside('run/tree', name)))).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect(['a', 'later', 'kept/inner'].map((name) => isThere(inside('run/tree', name)))).toEqual([true, true, true])
    expect(lines).toHaveLength(4)
  })

  const python = (code: string): string[] => ['/usr/bin/python3', '-c', code]
  test.each<[string, string, Partial<Limits>, string[]]>([
    ['LIMIT_MEMORY', 'a process', { memory: 128 }, python('x = bytearray(400 * 1024 * 1024)')],
    [
      'LIMIT_MEMORY',
      'many processes together',
      { memory: 128 },
      [
        'sh',
        '-c',
        `for i in 1 2 3 4 5; do /usr/bin/python3 -c 'import time; x = bytearray(60 << 20); time.sleep(300)' & done; wait`,
      ],
    ],
    ['LIMIT_PROCESSES', 'many', { processes: 40 }, ['sh', '-c', 'for i in $(seq 80); do sleep 300 & done; wait']],
    ['LIMIT_OPEN_FILES', 'many', { openFiles: 32 }, python('x = [open("/dev/null") for _ in range(64)]')],
    ['LIMIT_FILE_SIZE', 'a shell', { fileSize: 1 }, ['sh', '-c', 'exec head -c 4000000 /dev/zero > big']],
    ['LIMIT_FILE_SIZE', 'a language', { fileSize: 1 }, python('open("big", "wb").write(bytes(4000000))')],
    ['LIMIT_CPU', 'a loop', { cpu: 1 }, ['sh', '-c', 'while :; do :; done']],
    [
      'LIMIT_DISK',
      'many files',
      { disk: 3, fileSize: 1 },
      ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do head -c 900000 /dev/zero > f$i; done; sleep 300'],
    ],
  ])('%s: %s', async (code, _what, limits, argv) => {
    // biome-ignore format: a table
    const { run } = await open(limits)
    await expect(run(shell('', { argv }))).rejects.toMatchObject({ code })
  })

  test('the kernel is not written to, and no further namespaces are made', async () => {
    const { run } = await open()
    const { stdout } = await run(
      shell(`for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /new /dev/new /usr/new; do ( : >> $f ) 2>/dev/null && echo "$f written"; done
        grep -E 'CapEff|NoNewPrivs' /proc/self/status; unshare -U true 2>/dev/null && echo more; [ -e /proc/${process.pid}/environ ] && echo worker; :`),
    )
    expect(stdout.replaceAll('\t', ' ')).toBe('CapEff: 0000000000000000\nNoNewPrivs: 1\n')
  })

  test('has no network but what it is given, and never this machine', async () => {
    const server = createServer((_asked, answer) => answer.end('loopback'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const fetching = (url: string) => `fetch('${url}').then((a) => a.text()).then(console.log, () => console.log('no'))`
    const node = (code: string, env = {}): ProcessSpec => ({
      ...shell(''),
      argv: [process.execPath, '-e', code],
      env: { ...shell('').env, ...env },
    })
    const asked = async (sandbox: Sandbox, url: string, env = {}): Promise<string> =>
      (await sandbox.run(node(fetching(url), env))).stdout.trim()
    try {
      const url = `http://127.0.0.1:${port}/`
      expect(await asked(await open(), url)).toBe('no')
      await box!.close()
      const named = await open({}, { network: [`127.0.0.1:${port}`, `localhost:${port}`] })
      expect(await asked(named, url)).toBe('no')
      const proxied = { NODE_USE_ENV_PROXY: '1', NO_PROXY: '', no_proxy: '' }
      expect(await asked(named, `http://localhost:${port}/`, proxied)).not.toBe('loopback')
      await box!.close()
      // The server's own service of a run is the one place of this machine that it is given.
      expect(await asked(await open({}, { service: `${url}api` }), url)).toBe('loopback')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
