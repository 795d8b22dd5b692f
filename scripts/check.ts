/**
 * `npm run check`: types, lint, layers, format, generated files and unit tests, in under a minute. With `--house` it prints
 * the number of units of each folder of `src` and of imports between them, too; with `--house=REVISION` beside what they were.
 * With `--static` it leaves the unit tests to `npm test`.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

interface Step {
  name: string
  argv: string[]
  /** Its output is wanted, not only its verdict. */
  shown?: boolean
}

const house = process.argv.slice(2).filter((word) => /^--house(=|$)/.test(word))

const generated = [
  'scripts/generate.ts',
  'scripts/generate-openapi.ts',
  'scripts/generate-web-api.ts',
  'scripts/generate-cli-docs.ts',
  'scripts/generate-error-docs.ts',
  'scripts/generate-supported-docs.ts',
  'scripts/generate-init-score.ts',
].filter(existsSync)
const first: Step[] = [
  { name: 'types', argv: ['tsc', '-p', '.'] },
  { name: 'web types', argv: ['tsc', '-p', 'web'] },
  { name: 'lint', argv: ['oxlint', '--quiet'] },
  { name: 'layers', argv: ['node', 'scripts/check-layers.ts', ...house], shown: house.length > 0 },
  { name: 'strings', argv: ['node', '--disable-warning=ExperimentalWarning', 'scripts/check-strings.ts'] },
  { name: 'format', argv: ['biome', 'format', '.'] },
  { name: 'unused', argv: ['knip'] },
  // Ends with an error where a first visit would fetch more than its budget of script.
  { name: 'web build', argv: ['node', '--disable-warning=ExperimentalWarning', 'scripts/build-web.ts'] },
  ...generated.map((file) => ({
    name: file,
    argv: ['node', '--disable-warning=ExperimentalWarning', file, '--check'],
  })),
]
const unit: Step = { name: 'unit', argv: ['vitest', 'run', '--reporter=dot', 'src/domain', 'src/lib', 'scripts'] }

let failed = 0
for (const step of first) failed += await run(step)
if (!process.argv.includes('--static')) failed += await run(unit)
console.log(failed === 0 ? 'check: all passed' : `check: ${failed} step(s) with problems`)
process.exit(failed === 0 ? 0 : 1)

function run(step: Step): Promise<number> {
  const started = performance.now()
  const [program, ...args] = step.argv as [string, ...string[]]
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => (output += error.message))
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`)
      if (code !== 0 || step.shown) console.log(output)
      resolve(code === 0 ? 0 : 1)
    })
  })
}
