import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { build } from 'vite'
import { firstLoadBytes, scriptBudget } from '../web/script-budget.ts'

const root = mkdtempSync(join(tmpdir(), 'trueup-budget-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Hard to pack, so that the packed size is about as large. */
const noise = (bytes: number): string =>
  `export const noise = '${Array.from({ length: bytes }, (_, at) => ((at * 2_654_435_761) >>> 7).toString(36))
    .join('')
    .slice(0, bytes)}'\n`

function project(files: { [path: string]: string }): string {
  const directory = mkdtempSync(join(root, 'app-'))
  mkdirSync(join(directory, 'src'))
  writeFileSync(join(directory, 'index.html'), '<script type="module" src="./src/router.ts"></script>')
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, 'src', path), text)
  return directory
}
const built = (directory: string, budget: number) =>
  build({ configFile: false, root: directory, logLevel: 'silent', plugins: [scriptBudget(budget)] }).then(
    () => null,
    (error: Error) => error.message,
  )

it('counts what a page needs once, and nothing of what it loads later', () => {
  const scripts = new Map([
    ['entry', { bytes: 10, needs: ['shared'] }],
    ['page', { bytes: 5, needs: ['shared', 'entry'] }],
    ['shared', { bytes: 3, needs: [] }],
    ['later', { bytes: 100, needs: [] }],
  ])
  expect(firstLoadBytes(scripts, ['entry', 'page'])).toBe(18)
})

it('ends the build when the first visit to a page would fetch more than the budget, and names the page', async () => {
  const router = `globalThis.pages = [() => import('./light.ts'), () => import('./heavy.ts')]\n`
  const light = `globalThis.light = () => import('./chart.ts')\nexport const page = 1\n`
  const files = { 'router.ts': router, 'light.ts': light, 'chart.ts': noise(40_000) }
  const heavy = `import { noise } from './noise.ts'\nexport const page = noise.length + globalThis.x\nglobalThis.y = noise\n`
  const fits = project({ ...files, 'heavy.ts': 'export const page = 2\n' })
  expect(await built(fits, 8_000)).toBeNull()
  const over = project({ ...files, 'heavy.ts': heavy, 'noise.ts': noise(20_000) })
  expect(await built(over, 8_000)).toMatch(/heavy \d+\./)
  expect(await built(over, 60_000)).toBeNull()
})
