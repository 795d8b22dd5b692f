import { expect, it } from 'vitest'
import type { StackOptions } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { createMasker } from '../../../worker/runs/masking.ts'
import { terraformDriver } from '../index.ts'

const { openStack } = useStacks()

const CANARY = 'tf-canary-9917'
const FAILING = `resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition     = nonsensitive(var.token) == "right"
      error_message = "the token \${base64encode(nonsensitive(var.token))} (\${nonsensitive(var.token)}) is not right"
    }
  }
}
`
const declared = (more = '') => `variable "token" {\n type = string\n sensitive = true\n${more}}\n`

const PLACES: { [place: string]: { files?: { [path: string]: string }; options?: StackOptions } } = {
  'a default': { files: { 'stack/variables.tf': declared(` default = "${CANARY}"\n`) } },
  'a default in JSON': {
    files: { 'stack/variables.tf.json': JSON.stringify({ variable: { token: { sensitive: true, default: CANARY } } }) },
  },
  'terraform.tfvars': { files: { 'stack/terraform.tfvars': `token = "${CANARY}"\n` } },
  'an auto.tfvars.json': { files: { 'stack/a.auto.tfvars.json': JSON.stringify({ token: CANARY }) } },
  'a file of the settings': {
    files: { 'secret.tfvars': `token = "${CANARY}"\n` },
    options: { with: { varFiles: ['../secret.tfvars'] } },
  },
  'variables of the settings': { options: { with: { variables: { token: CANARY } } } },
  'the environment': { options: { env: { TF_VAR_token: CANARY } } },
}

describeWithTool('tofu', 'a variable declared sensitive is hidden where the plan fails', (tool) => {
  it.for(Object.entries(PLACES))('its value comes by %s', async ([, { files = {}, options = {} }]) => {
    const own: { [path: string]: string } = Object.keys(files).some((path) => path.includes('variables.tf'))
      ? {}
      : { 'stack/variables.tf': declared() }
    const context = await openStack(tool, { 'stack/main.tf': FAILING, ...own, ...files }, options)
    const error = await terraformDriver.plan(context).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    )
    const said = JSON.stringify([error, String(error)])
    const encoded = Buffer.from(CANARY).toString('base64')
    const masker = createMasker()
    for (const secret of context.masked) masker.add(secret)
    // What is said holds it, and what was registered hides it.
    expect(said).toContain('is not right')
    expect(said + context.lines.join('\n')).toContain(encoded)
    expect(masker.text(said)).not.toContain(CANARY)
    expect(masker.text(said)).not.toContain(encoded)
  })
})
