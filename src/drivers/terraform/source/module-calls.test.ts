import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { moduleCalls } from './module-calls.ts'
import { readModule } from './blocks.ts'

/** What Terraform's own parser finds. */
const parsed = async (text: string) => {
  const { modules, broken } = await readModule([{ path: 'main.tf', text }])
  expect(broken).toEqual([])
  return modules.map(({ name, source }) => ({ name, source }))
}

const PARTS = [
  '# module "no" { source = "./no" }\n',
  '// module "no" {\n',
  '/* module "no" {\n  source = "./no"\n} */\n',
  'variable "v" {\n  type = string\n  default = "}"\n}\n',
  'locals {\n  a = "\\"${upper("}")}\\""\n  b = { c = [1, 2] }\n}\n',
  'locals {\n  text = <<EOT\nmodule "no" {\n  source = "./no"\n}\n  EOT\n}\n',
  'locals {\n  text = <<-EOT\n    "unbalanced {\n    EOT\n}\n',
  'locals {\n  text = <<EOT\nEOT\n}\n',
  'output "o" {\n  value = "$${not} %%{one} ${"${"deep"}"}"\n}\n',
  'resource "a" "b" {\n  source = "../not-a-module"\n  nested {\n    source = "../no"\n  }\n}\n',
  'locals {\n  long = (1 +\n    2)\n  next = [ # one\n    "a", /* } */ "b",\n  ]\n}\n',
  'locals {\n  division = 4 / 2\n  path = "a//b#c"\n}\n',
  'locals { one = "line" }\n',
  'module "inline" { source = "./inline" }\n',
  'module "comment" {\n  source = "../c" # here\n  providers = {\n    aws = aws.x\n  }\n}\n',
  'module "after" {\n  count = 1\n  dynamic "x" {\n    for_each = []\n    content {\n      source = "./no"\n    }\n  }\n\n  source = "../after"\n}\n',
  'module "remote" {\r\n  source  = "git::https://example.org/x.git?ref=v1"\r\n  version = "~> 1"\r\n}\r\n',
  'module bare {\n  source = "./bare"\n}\n',
]

describe('the scan for module blocks', () => {
  it.each(PARTS)('finds what the parser finds: %j', async (text) => {
    expect(moduleCalls(text)).toEqual(await parsed(text))
  })

  it('finds it in any order of such text', async () => {
    const named = (parts: string[]) => parts.map((part, at) => part.replace(/^(module "?\w+)/, `$1${at}`)).join('\n')
    const texts = fc.array(fc.constantFrom(...PARTS), { maxLength: 8 }).map(named)
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const byName = (calls: { name: string }[]) => calls.toSorted((a, b) => (a.name < b.name ? -1 : 1))
        expect(byName(moduleCalls(text) ?? [])).toEqual(byName(await parsed(text)))
      }),
      { numRuns: 100 },
    )
  })

  it.each([
    'module "m" {\n  source = "../${var.name}"\n}\n',
    'module "m" {\n  source = "../a\\u0062"\n}\n',
    'module "m" {\n  source = var.source\n}\n',
    'module "m" {\n  source = "./m"\n',
    'module "m" {\n  source = "./m\n}\n',
    'locals {\n  a = <<EOT\nnever ends\n}\n',
    'locals {\n  a = [1\n}\n',
    'locals {\n  a = ")" )\n}\n',
    '/* never ends',
    'module "m" {}}\n',
    '{ "module": {} }',
  ])('leaves to the parser what it does not understand: %j', (text) => {
    expect(moduleCalls(text)).toBeNull()
  })

  it('ends for any text', () => {
    const pieces = [
      'module',
      ' "m" ',
      '{',
      '}',
      '"',
      '${',
      '\n',
      '<<E\n',
      'E',
      '/*',
      '*/',
      '#',
      '=',
      '[',
      ')',
      'source',
    ]
    const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, (text) => void moduleCalls(text)),
      { numRuns: 2_000 },
    )
  })
})
