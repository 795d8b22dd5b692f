import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const program = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'programs', name), 'utf8')

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
      copy: { dest: "${target}/{{ item.form }}", content: "[ansible:content:{{ item.form }}] {{ item.text }}" }
      loop: "{{ forms }}"
      loop_control: { label: "{{ item.form }}" }
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

/** The stacks of one environment, as entries of `trueup.yaml` and as files of the repository. */
export async function stacksOf(
  environment: string,
  home: string,
): Promise<{ entries: object[]; files: { [path: string]: string } }> {
  const [forms, driver] = [await program('forms.py'), await program('driver.py')]
  const at = (name: string): string => `${environment}/${name}`
  const stack = (name: string, more: object): object => ({ path: at(name), name, environments: [environment], ...more })
  const say = (place: string): string => `python3 forms.py shell ${place}`
  return {
    entries: [
      stack('exec', { driver: 'command', with: { executable: './driver.py', idempotent: true } }),
      stack('broken', {
        driver: 'command',
        with: { executable: './driver.py', settings: { breaks: true }, idempotent: true },
      }),
      stack('shell', {
        driver: 'command',
        with: { plan: `${say('plan')}; ${say('stderr')} >&2; exit 2`, apply: say('apply'), idempotent: true },
        checks: [say('check')],
        verify: [say('verify')],
      }),
      stack('files', {
        driver: 'files',
        with: { target: join(home, environment, 'files'), templates: true, reload: RELOAD },
      }),
      stack('terraform', { driver: 'terraform' }),
      stack('ansible', { driver: 'ansible', with: { inventory: 'hosts', idempotent: true } }),
    ],
    files: {
      ...Object.fromEntries(
        ['exec', 'broken', 'shell'].flatMap((name) => [
          [at(`${name}/forms.py`), forms],
          [at(`${name}/driver.py`), driver],
        ]),
      ),
      [at('files/a.conf.tmpl')]:
        'user\n[files:content:plain] ${variables.CANARY}\n[files:content:lines] ${variables.CANARY_KEY}\n',
      [at('terraform/main.tf')]: TERRAFORM,
      [at('ansible/site.yml')]: ANSIBLE(join(home, environment)),
      [at('ansible/hosts')]: 'here ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
    },
  }
}
