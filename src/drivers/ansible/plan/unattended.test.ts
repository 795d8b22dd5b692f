import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { type SourceFile, type TestContext, testContext } from '../../testing/context.ts'
import { AnsibleConfig } from '../config.ts'
import { ansibleDriver } from '../index.ts'

/** On this machine itself, in check mode only: nothing of it is changed. */
describeWithTool('ansible-playbook', 'a playbook without anybody at the keyboard', () => {
  let context: TestContext<AnsibleConfig>
  afterEach(() => context.remove())
  const open = async (playbook: string, files: { [path: string]: SourceFile } = {}): Promise<void> => {
    context = await testContext<AnsibleConfig>({
      config: AnsibleConfig.parse({ inventory: 'hosts.ini' }),
      files: {
        'stack/site.yml': `- hosts: all\n  gather_facts: false\n${playbook}`,
        'stack/hosts.ini': 'web ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
        ...files,
      },
      env: { PATH: process.env.PATH ?? '' },
    })
  }

  test('a question without a default is an error, and an input answers it', async () => {
    await open(
      '  vars_prompt: [{ name: word, prompt: What }, { name: size, default: 2 }]\n  tasks:\n    - copy: { content: "{{ word }}{{ size }}", dest: /nonexistent/x }\n',
    )
    await expect(ansibleDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { why: 'vars_prompt asks for word, and there is nobody to ask' },
    })
    const given = await context.next<AnsibleConfig>({ inputs: { word: { value: 'x', sensitive: false } } })
    const { changes } = await ansibleDriver.plan(given)
    expect(changes.flatMap(({ attributes }) => attributes)).toContainEqual({ path: 'content', before: '', after: 'x2' })
  })

  test('no debugger waits, and a plugin that is missing is no matter of earlier tasks', async () => {
    await open(
      `  debugger: on_failed\n  tasks:\n    - copy: { content: a, dest: /nonexistent/x }\n    - copy: { content: "{{ 'a' | nosuchfilter }}", dest: /nonexistent/y }\n`,
    )
    const { coverage, findings } = await ansibleDriver.plan(context)
    expect(coverage.unchecked).toEqual([expect.objectContaining({ failed: true })])
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: 'error', message: expect.stringContaining('nosuchfilter') as string }),
    )
  })

  test('a role that is not there when a task includes it is an error with its place', async () => {
    await open('  tasks:\n    - debug: { msg: first }\n    - include_role: { name: absent }\n')
    await expect(ansibleDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { why: expect.stringMatching(/^stack\/site\.yml:5: .*absent/) as string },
    })
  })

  test('a password that would be another one in every run is found, and roles that nothing uses tell nothing', async () => {
    const lookup = `"{{ lookup('password', 'creds/db length=12') }}"`
    await open(`  roles: [used]\n  tasks:\n    - copy: { content: ${lookup}, dest: /nonexistent/x }\n`, {
      'stack/roles/used/tasks/main.yml': '- debug: { msg: a }\n  check_mode: false\n',
      'stack/roles/unused/tasks/main.yml': '- debug: { msg: a }\n  check_mode: false\n',
    })
    const found = (await ansibleDriver.validate(context)).map(({ code, path, line }) => [code, path, line])
    expect(found.filter(([code]) => /check_mode|password/.test(String(code)))).toEqual([
      ['check_mode_off', 'stack/roles/used/tasks/main.yml', 2],
      ['password_lookup', 'stack/site.yml', 5],
    ])
    expect((await ansibleDriver.plan(context)).findings.map(({ code }) => code)).toContain('password_lookup')
  })
})
