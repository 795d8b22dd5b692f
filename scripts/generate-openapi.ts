/** Writes docs/api/openapi.json from the routes; `--check` compares instead. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeApi } from '../src/server/describe-api.ts'

const file = join(import.meta.dirname, '..', 'docs', 'api', 'openapi.json')
const text = `${JSON.stringify(await describeApi(), null, 2)}\n`
if (process.argv.includes('--check')) {
  const kept = await Promise.resolve()
    .then(() => readFileSync(file, 'utf8'))
    .catch(() => '')
  if (kept !== text) {
    console.error('docs/api/openapi.json is not what the routes say: run `npm run generate` and commit it')
    process.exit(1)
  }
} else {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
}
