/**
 * `npm run site`: the documentation as a site in site/dist, each version below its own path beside the former ones, with a
 * search that needs no server. `--serve` shows it on this machine afterwards. Installs its own dependencies in site/.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rcompare, valid } from 'semver'
import { VERSION } from '../../src/lib/version.ts'
import { sidebarOf } from './contents.ts'
import { foreignRequests } from './foreign.ts'
import { writeSources } from './sources.ts'

const root = join(import.meta.dirname, '..', '..')
const site = join(root, 'site')
const [pages, dist] = [join(site, 'pages'), join(site, 'dist')]
const vitepress = join(site, 'node_modules', '.bin', 'vitepress')

if (!existsSync(vitepress)) run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
rmSync(pages, { recursive: true, force: true })
mkdirSync(pages, { recursive: true })
writeSources(root, pages)
const former = existsSync(dist) ? readdirSync(dist).filter((name) => valid(name) !== null) : []
const versions = [...new Set([VERSION, ...former])].sort(rcompare)
const sidebar = sidebarOf(readFileSync(join(root, 'docs', 'README.md'), 'utf8'))
writeFileSync(join(pages, 'site.json'), JSON.stringify({ version: VERSION, versions, sidebar }))
run(vitepress, ['build'])
// Whoever comes without a version sees the newest.
const newest = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${versions[0]}/"><title>Trueup</title>`
writeFileSync(join(dist, 'index.html'), `${newest}\n`)
const foreign = foreignRequests(join(dist, VERSION))
if (foreign.length > 0) {
  console.error(`the site would ask others for:\n${foreign.map((each) => `  ${each}`).join('\n')}`)
  process.exit(1)
}
console.log(
  `site: site/dist/${VERSION}, ${versions.length === 1 ? 'the only version' : `beside ${versions.slice(1).join(', ')}`}`,
)
if (process.argv.includes('--serve')) run(vitepress, ['preview', '--host', '127.0.0.1'])

function run(program: string, argv: string[]): void {
  const { status, error } = spawnSync(program, argv, { cwd: site, stdio: ['ignore', 2, 2] })
  if (error) throw error
  if (status !== 0) process.exit(1)
}
