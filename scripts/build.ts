/** `npm run build`: compiles `src` to `dist` for publishing. */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const result = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
// Plugins of tools are in the tools' own languages.
for (const file of globSync('src/drivers/*/plugins/*')) cpSync(file, file.replace(/^src/, 'dist'))
if (result.status !== 0) process.exit(result.status ?? 1)
process.exit(spawnSync(process.execPath, ['scripts/build-web.ts'], { stdio: 'inherit' }).status ?? 1)
