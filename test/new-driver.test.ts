import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newDriver, refusal } from '../scripts/new-driver.ts'
import { runProcess } from '../src/lib/process/run.ts'
import { ROOT } from './docs/pages.ts'

const COPIED = [
  'src',
  'test',
  'scripts',
  'bench',
  'docs',
  'web',
  'package.json',
  'tsconfig.json',
  'biome.json',
  'vitest.config.ts',
]

describe('npm run new-driver', () => {
  let copy: string
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'trueup-new-driver-'))
    for (const path of COPIED)
      if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(copy, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  it.each([
    [undefined, 'name the driver'],
    ['', 'name the driver'],
    ['Pulumi', 'lower-case'],
    ['1st', 'lower-case'],
    ['a_b', 'lower-case'],
    ['a--b', 'lower-case'],
    ['../x', 'lower-case'],
    ['x'.repeat(41), 'lower-case'],
    ['terraform', 'already'],
    ['hosts', 'already'],
    ['registry', 'already'],
    ['compose', 'docs/drivers/compose.md'],
  ])('refuses %s, and writes nothing', async (name, why) => {
    const before = readFileSync(join(copy, 'src/drivers/registry.ts'), 'utf8')
    expect(refusal(copy, name)).toContain(why)
    await expect(newDriver(copy, name)).rejects.toThrow(why)
    expect(readFileSync(join(copy, 'src/drivers/registry.ts'), 'utf8')).toBe(before)
  })

  it('makes drivers that compile, keep the house, and pass what they do not exempt', async () => {
    const run = async (...argv: string[]): Promise<void> => {
      const [program = '', ...rest] = argv
      const path = program === 'node' ? process.execPath : join(copy, 'node_modules/.bin', program)
      const result = await runProcess({
        argv: [path, ...rest],
        cwd: copy,
        env: process.env as Record<string, string>,
        timeoutMs: 280_000,
      })
      expect(result.exitCode, `${argv.join(' ')}\n${result.stdout}${result.stderr}`).toBe(0)
    }
    // First, between, and last in the lists; with a hyphen.
    const names = ['acme', 'cloud-init', 'zypper']
    for (const name of names) {
      const written = await newDriver(copy, name)
      for (const corridor of ['source', 'plan', 'apply', 'tool'])
        expect(written.join('\n')).toContain(`/${name}/${corridor}/`)
    }
    const registry = readFileSync(join(copy, 'src/drivers/registry.ts'), 'utf8')
    const listed = [...registry.matchAll(/^ {2}\['([\w-]+)'/gm)].map(([, name]) => name)
    expect(listed).toEqual([...new Set(listed)].toSorted((a, b) => (a! < b! ? -1 : 1)))
    for (const name of names)
      expect(readFileSync(join(copy, 'docs/README.md'), 'utf8')).toContain(`(drivers/${name}.md)`)
    await run('tsc', '-p', '.')
    await run('node', 'scripts/check-layers.ts')
    await run('biome', 'format', 'src/drivers', 'test/conformance')
    await run('vitest', 'run', ...names.map((name) => `test/conformance/${name}.test.ts`))
  }, 600_000)
})
