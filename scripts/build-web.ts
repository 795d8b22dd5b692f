/**
 * Builds the web application into `web/dist` where that is missing or older than its sources: `npm run build`, the tests
 * of the browser, and every start of a server from a checkout call it. Two at a time do not disturb each other.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..')
const web = join(root, 'web')
const dist = join(web, 'dist')
const stamp = 'sources.sha256'
/** Below it a packet more or less does not matter. */
const WORTH_PACKING = 1_400

/** Over everything that the built files are made of. */
function sourcesHash(): string {
  const hash = createHash('sha256')
  const files = globSync(['src/**/*', 'index.html', '*.ts'], { cwd: web }).sort()
  for (const file of files) {
    const path = join(web, file)
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0')
  }
  return hash.update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
}

function main(): number {
  const wanted = sourcesHash()
  const kept = join(dist, stamp)
  const isThere = () => existsSync(kept) && readFileSync(kept, 'utf8') === wanted
  if (isThere()) return 0
  const fresh = mkdtempSync(join(web, 'dist.new-'))
  try {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
    // Vite refuses a second build of a project beside another; ours each have a directory of their own.
    const own = ['--outDir', fresh, '--emptyOutDir', '--bypass-lock']
    const argv = [vite, 'build', web, ...own, '--logLevel', 'warn']
    // What users get, also where tests ask for it: React is another one in their environment.
    const env = { ...process.env, NODE_ENV: 'production' }
    const built = spawnSync(process.execPath, argv, { env, stdio: ['ignore', 'inherit', 'inherit'] })
    if (built.status !== 0) return built.status ?? 1
    for (const file of globSync('**/*.{js,css,html,svg}', { cwd: fresh })) {
      const text = readFileSync(join(fresh, file))
      if (text.length >= WORTH_PACKING) writeFileSync(join(fresh, `${file}.gz`), gzipSync(text))
    }
    writeFileSync(join(fresh, stamp), wanted)
    // Another build of the same was faster: pages may be open that load from it.
    if (isThere()) return 0
    const old = `${fresh}.old`
    if (existsSync(dist)) renameSync(dist, old)
    try {
      renameSync(fresh, dist)
    } catch (error) {
      if (!isThere()) throw error
    }
    rmSync(old, { recursive: true, force: true })
    return 0
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

process.exitCode = main()
