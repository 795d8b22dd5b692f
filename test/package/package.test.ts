import { spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProcess } from '../../src/lib/process/run.ts'

/** What people get who install it: packed from this checkout, installed by npm in a clean directory, run by the built files. */
const root = join(import.meta.dirname, '..', '..')
const node = dirname(process.execPath)
let directory: string
let packed: { filename: string; unpackedSize: number; files: { path: string; mode: number }[] }
let installed: string
let env: Record<string, string>

const run = async (argv: string[], cwd: string): Promise<{ stdout: string; exitCode: number | null; said: string }> => {
  const { stdout, stderr, exitCode } = await runProcess({ argv, cwd, env, maxOutputBytes: 8_000_000 })
  return { stdout, exitCode, said: `${argv.join(' ')}\n${stdout.slice(-3_000)}\n${stderr.slice(-3_000)}` }
}
const trueup = (...argv: string[]) => run([join(installed, 'node_modules', '.bin', 'trueup'), ...argv], directory)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-package-'))
  const home = join(directory, 'home')
  installed = join(directory, 'installed')
  for (const made of [home, installed]) await mkdir(made)
  // How the registry is reached, and the cache of it, are the machine's; nothing else is.
  const reached = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_(registry|userconfig|cache|cafile|ca|https?_proxy|proxy|noproxy|strict_ssl)|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i.test(
      name,
    ),
  ) as [string, string][]
  env = {
    npm_config_cache: join(process.env['HOME'] ?? home, '.npm'),
    npm_config_userconfig: join(process.env['HOME'] ?? home, '.npmrc'),
    npm_config_update_notifier: 'false',
    ...Object.fromEntries(reached),
    PATH: `${node}:${process.env['PATH']}`,
    HOME: home,
  }
  const made = await run(['npm', 'pack', '--json', '--pack-destination', directory], root)
  expect(made.exitCode, made.said).toBe(0)
  packed = packedOf(made.stdout)
  const archive = join(directory, packed.filename)
  const argv = ['npm', 'install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', archive]
  const install = await run(argv, installed)
  expect(install.exitCode, install.said).toBe(0)
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** npm prints what the build says before its JSON; newer ones print an object by name, older ones a list. */
function packedOf(stdout: string): typeof packed {
  const json: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))
  return Object.values(json as Record<string, typeof packed>)[0]!
}

test('the package has what runs, what is read, and nothing of how it is made', async () => {
  const paths = packed.files.map(({ path }) => path)
  const wanted = [
    'dist/cli/main.js',
    'dist/worker/main.js',
    'dist/worker/sandbox/egress/bridge.js',
    'web/dist/index.html',
  ]
  wanted.push('dist/drivers/ansible/plugins/trueup_tasks.py', 'dist/drivers/chef/plugins/trueup_report.rb')
  wanted.push('LICENSE', 'README.md', 'man/trueup.1', 'docs/install.md', 'schema/trueup.schema.json')
  expect(paths).toEqual(expect.arrayContaining(wanted))
  // What is shipped for people to read may have tests of its own.
  const ours = paths.filter((path) => !/^(docs|examples|deploy)\//.test(path))
  const foreign =
    /\.tsx?$|\.map$|\.test\.|\.testing\.|\b(testing|fixtures|conformance)(\/|\.js$)|^(src|test|bench|scripts|findings)\//
  expect(ours.filter((path) => foreign.test(path))).toEqual([])
  expect(packed.unpackedSize).toBeLessThan(40_000_000)
})

test('the installed command walks the demo', async () => {
  expect((await trueup('--version')).stdout.trim()).toBe(
    (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version,
  )
  await expect(access(join(installed, 'node_modules', 'trueup', 'src'))).rejects.toThrow('ENOENT')
  const demo = await trueup('demo', '--output', 'json')
  expect(demo.exitCode, demo.said).toBe(0)
  const { passed, steps } = JSON.parse(demo.stdout) as { passed: number; steps: unknown[] }
  expect(passed).toBe(steps.length)
})

test('the installed server serves its pages, and ends in order', async () => {
  const data = join(directory, 'data')
  const argv = ['up', '--data', data, '--port', '0', '--runner-slots', '0']
  const server = spawn(join(installed, 'node_modules', '.bin', 'trueup'), argv, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => server.once('close', resolve))
  let said = ''
  const address = new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (part: Buffer) => {
        said += part.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
        if (found) resolve(found[0])
      })
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said}`)))
  })
  try {
    const url = await address
    const page = await (await fetch(url)).text()
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1]
    expect(script, page).toBeDefined()
    expect((await fetch(`${url}${script}`)).headers.get('content-type')).toContain('javascript')
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  } finally {
    server.kill('SIGTERM')
  }
  expect(await ended).toBe(0)
})
