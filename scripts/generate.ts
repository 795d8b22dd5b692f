/**
 * Writes the files that are generated from sources: the JSON Schemas of trueup.yaml and of what commands print. With `--check` writes nothing and ends
 * with 1 when a file differs from its source.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { outputsSchema } from '../src/cli/outputs/index.ts'
import { schemaStoreSchema, trueupJsonSchema } from '../src/domain/config/json-schema.ts'

const root = dirname(import.meta.dirname)
const GENERATED = [
  { path: 'schema/trueup.schema.json', text: () => `${JSON.stringify(trueupJsonSchema(), null, 2)}\n` },
  { path: 'schema/cli-output.schema.json', text: () => `${JSON.stringify(outputsSchema(), null, 2)}\n` },
  { path: 'schema/schemastore/trueup.json', text: () => `${JSON.stringify(schemaStoreSchema(), null, 2)}\n` },
]

const check = process.argv.includes('--check')
for (const { path, text } of GENERATED) {
  const file = join(root, path)
  const current = read(file)
  const wanted = text()
  if (current === wanted) continue
  if (check) {
    console.error(`${path} differs from its source: run \`npm run generate\` and commit it`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, wanted)
    console.log(`wrote ${path}`)
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
