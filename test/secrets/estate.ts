import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cloudStacks, type Clouds, refusedByKubernetes } from './cloud-stacks.ts'
import { hostStacks } from './host-stacks.ts'
import { program, type Said } from './program.ts'

const TERRAFORM = `
variable "canary" { type = string }
variable "canary_key" { type = string }
locals {
  forms = {
    plain    = var.canary
    json     = jsonencode(var.canary)
    json2    = jsonencode(jsonencode({ a = var.canary }))
    yaml     = yamlencode({ a = var.canary })
    url      = urlencode(var.canary)
    base64   = base64encode(var.canary)
    base64_1 = base64encode("u\${var.canary}")
    base64_2 = base64encode("uu\${var.canary}!")
    indented = indent(4, var.canary_key)
    line     = split("\\n", var.canary_key)[1]
  }
}
resource "terraform_data" "each" {
  for_each = local.forms
  input    = "[terraform:attribute:\${each.key}] \${each.value}"
}
output "each" { value = { for form, text in local.forms : form => "[terraform:output:\${form}] \${text}" } }
check "told" {
  assert {
    condition     = length(terraform_data.each) == 0
    error_message = join("; ", [for form, text in local.forms : "[terraform:check:\${form}] \${text}"])
  }
}
`

const ANSIBLE = (target: string): string => `
- hosts: all
  gather_facts: false
  vars:
    canary: "{{ lookup('env', 'CANARY') }}"
    key: "{{ lookup('env', 'CANARY_KEY') }}"
    forms:
      - { form: plain, text: "{{ canary }}" }
      - { form: json, text: "{{ canary | to_json }}" }
      - { form: yaml, text: "{{ {'a': canary} | to_nice_yaml }}" }
      - { form: url, text: "{{ canary | urlencode }}" }
      - { form: sh, text: "{{ canary | quote }}" }
      - { form: html, text: "{{ canary | escape }}" }
      - { form: base64, text: "{{ canary | b64encode }}" }
      - { form: base64_1, text: "{{ ('u' ~ canary) | b64encode }}" }
      - { form: indented, text: "{{ key | indent(4) }}" }
  tasks:
    - name: Write
      copy:
        dest: "${target}/plain"
        content: "{% for each in forms %}[ansible:content:{{ each.form }}] {{ each.text }}\\n{% endfor %}"
    - name: Say
      debug: { msg: "[ansible:debug:{{ item.form }}] {{ item.text }}" }
      changed_when: true
      loop: "{{ forms }}"
    - name: Fail
      fail: { msg: "[ansible:fail:{{ item.form }}] {{ item.text }}" }
      ignore_errors: true
      loop: "{{ forms }}"
`

const RELOAD = [
  'echo "[files:reload:plain] $CANARY"',
  'echo "[files:reload:base64] $(printf %s "$CANARY" | base64 -w0)"',
  'echo "[files:reload:hex] $(printf %s "$CANARY" | od -An -tx1 | tr -d \' \\n\')"',
].join('; ')

/** Stacks as entries of `trueup.yaml` and as files of the repository. */
export interface Estate {
  entries: object[]
  files: { [path: string]: string }
}

const say = (place: string): string => `python3 forms.py shell ${place}`

/** The stacks of one environment that are deployed. On the host there are files with the secret as it was before. */
export async function estateOf(clouds: Clouds, home: string, former: string): Promise<Estate> {
  const { environment } = clouds
  const targets = join(home, environment)
  const found = { files: 'a.conf', ansible: 'plain', puppet: 'plain', chef: 'plain' }
  for (const [name, file] of Object.entries(found)) {
    await mkdir(join(targets, name), { recursive: true })
    await writeFile(join(targets, name, file), `[${name}:before:plain] ${former}\n`)
  }
  const programs = await pythonPrograms()
  return placed(environment, [
    { name: 'exec', driver: 'command', with: { executable: './driver.py', idempotent: true }, files: programs },
    {
      name: 'broken',
      driver: 'command',
      with: { executable: './driver.py', settings: { breaks: true }, idempotent: true },
      files: programs,
    },
    {
      name: 'shell',
      driver: 'command',
      with: { plan: `${say('plan')}; ${say('stderr')} >&2; exit 2`, apply: say('apply'), idempotent: true },
      files: programs,
      checks: [say('check')],
      verify: [say('verify')],
    },
    {
      name: 'files',
      driver: 'files',
      with: { target: join(targets, 'files'), templates: true, reload: RELOAD },
      files: {
        'a.conf.tmpl':
          'user\n[files:content:plain] ${variables.CANARY}\n[files:content:lines] ${variables.CANARY_KEY}\n',
      },
    },
    { name: 'terraform', driver: 'terraform', with: {}, files: { 'main.tf': TERRAFORM } },
    {
      name: 'ansible',
      driver: 'ansible',
      with: { inventory: 'hosts', idempotent: true },
      files: {
        'site.yml': ANSIBLE(join(targets, 'ansible')),
        hosts: 'here ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
      },
    },
    ...(await hostStacks(targets, false)),
    ...cloudStacks(clouds),
  ])
}

/** Those whose plan ends with an error that tells the secret. */
export async function failingEstateOf(clouds: Clouds, home: string): Promise<Estate> {
  const { environment } = clouds
  const failing = { executable: './driver.py', settings: { fails: true } }
  return placed(`${environment}-failing`, [
    { name: 'exec', driver: 'command', with: failing, files: await pythonPrograms() },
    ...(await hostStacks(join(home, environment), true)),
    refusedByKubernetes(clouds),
  ])
}

async function pythonPrograms(): Promise<{ [path: string]: string }> {
  return { 'forms.py': await program('forms.py'), 'driver.py': await program('driver.py') }
}

function placed(directory: string, stacks: readonly Said[]): Estate {
  const environments = [directory.replace('-failing', '')]
  return {
    entries: stacks.map(({ files: _files, name, ...rest }) => ({
      path: `${directory}/${name}`,
      name: directory === environments[0] ? name : `failing-${name}`,
      environments,
      ...rest,
    })),
    files: Object.fromEntries(
      stacks.flatMap(({ name, files }) =>
        Object.entries(files).map(([path, text]) => [`${directory}/${name}/${path}`, text]),
      ),
    ),
  }
}
