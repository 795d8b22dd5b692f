import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { OUTPUTS, outputsSchema } from '../outputs/index.ts'

const made = new Map<string, ValidateFunction>()
let ajv: Ajv2020 | undefined

/** Throws where what a command printed under `--output json` is not what its schema says; `args` are its words. */
export function assertDescribed(args: readonly string[], out: string): void {
  const name = commandIn(args)
  if (name === undefined || out === '') return
  ajv ??= new Ajv2020({ allowUnionTypes: true, allErrors: true }).addSchema(outputsSchema(), 'outputs')
  const accepts = made.get(name) ?? ajv.compile({ $ref: `outputs#/$defs/${encodeURIComponent(`trueup ${name}`)}` })
  made.set(name, accepts)
  if (accepts(JSON.parse(out))) return
  const problems = (accepts.errors ?? [])
    .slice(0, 5)
    .map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`)
  throw new Error(`trueup ${name} prints other JSON than src/cli/outputs says: ${problems.join('; ')}`)
}

/** The longest name of a command that the words begin with, options left out. */
function commandIn(args: readonly string[]): string | undefined {
  const words = args.filter((word, at) => !word.startsWith('-') && !VALUED.has(args[at - 1] ?? ''))
  return [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => Object.hasOwn(OUTPUTS, name))
}

const VALUED = new Set(['-o', '--output', '--url', '--columns'])
