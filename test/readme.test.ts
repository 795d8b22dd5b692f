import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { codeBlocks, pages, ROOT } from './docs/pages.ts'
import { openShell, type Shell } from './docs/shell.ts'

/** The README's first repository, command by command, as a newcomer types it; only port and target are others. */
const blocksOf = (title: string): string[] => {
  const sections = pages()
    .find(({ path }) => path === 'README.md')!
    .text.split(/^## /m)
  return codeBlocks({ path: 'README.md', text: sections.find((text) => text.startsWith(title))! }).map(
    ({ text }) => text,
  )
}

let home: string
let server: ChildProcess
let shell: Shell
let page: string
let adapt: (script: string) => string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'trueup-readme-'))
  page = join(home, 'www', 'index.html')
  const kept = Object.entries(process.env).filter(([name]) => !/^(TRUEUP|XDG)_/.test(name))
  const env = { ...Object.fromEntries(kept), HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') }
  // A machine on which git knows nobody.
  await writeFile(env.GIT_CONFIG_GLOBAL, '')
  server = spawn(join(ROOT, 'bin/trueup.mjs'), ['up', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    server.stdout!.on('data', (chunk: Buffer) => {
      const found = /Trueup is up at (\S+)/.exec((text += chunk.toString()))
      if (found) resolve(found[1]!)
    })
    server.once('close', () => reject(new Error(`the server ended: ${text}`)))
  })
  adapt = (script) =>
    script
      .replaceAll('http://127.0.0.1:7420', url)
      .replaceAll('/tmp/trueup-first', join(home, 'www'))
      // People look a moment later; here the next step waits for what they should see.
      .replaceAll(/sleep \d+; cat \S+/g, ':')
  shell = openShell({ cwd: ROOT, env })
})

afterAll(async () => {
  shell?.close()
  if (server && server.exitCode === null) {
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('close', resolve))
  }
  await rm(home, { recursive: true, force: true })
})

const shows = (content: string): Promise<void> =>
  vi.waitFor(async () => expect(await readFile(page, 'utf8')).toBe(`<h1>${content}</h1>\n`), {
    timeout: 60_000,
    interval: 100,
  })

it('the first repository of the README goes as it is written', { timeout: 300_000 }, async () => {
  const blocks = blocksOf('Your first own repository').map(adapt)
  const [onPath, up, people, rules, firstPage, deployed, drift, secondPage, back, ...others] = blocks
  expect(others).toEqual([])
  expect(up).toBe('trueup up\n')

  await shell.run(onPath!)
  await shell.run('cd')
  await shell.run(people!)
  await shell.run(rules!)
  expect(await shell.run(firstPage!)).toContain('Ready to merge')
  await shows('Hello')
  expect(await shell.run(deployed!)).toContain('production/web')

  await shell.run(drift!)
  await shows('Hello')

  await shell.run(secondPage!)
  await shows('Broken')
  expect(await shell.run(back!)).toMatch(/chain of \d+ events is whole/)
  await shows('Hello')
})

it('a repository that somebody has gets its plans, and nothing is applied', { timeout: 300_000 }, async () => {
  const own = join(home, 'infrastructure')
  await mkdir(join(own, 'web'), { recursive: true })
  await writeFile(join(own, 'web', 'compose.yaml'), 'services:\n  web: { image: nginx }\n')
  await shell.run(`cd ${own}; git init --quiet -b main; git add .; git commit --quiet -m "What there is"`)
  const [asItIs, managed, ...others] = blocksOf('Then a repository of your own').map(adapt)
  expect(others).toEqual([])
  await shell.run(asItIs!)
  expect(await shell.run(managed!)).toContain('Let Trueup look after it')
})
