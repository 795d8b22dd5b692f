import { expect, it, vi } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { type SourceFile, testContext } from '../../testing/context.ts'
import { AnsibleConfig } from '../config.ts'
import { ansibleDriver } from '../index.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

const open = (files: { [path: string]: SourceFile }, settings: object = {}, env: { [name: string]: string } = {}) =>
  testContext({ config: AnsibleConfig.parse(settings), files, env })

const PLAY = '- hosts: all\n  tasks:\n    - name: Say\n      ansible.builtin.debug: { msg: hello }\n'

describeWithTool('ansible-playbook', 'validate', () => {
  const validated = async (files: { [path: string]: SourceFile }, settings: object = {}) => {
    const context = await open(files, settings)
    try {
      return await ansibleDriver.validate(context)
    } finally {
      await context.remove()
    }
  }

  it('finds nothing in a good playbook', async () => {
    expect(await validated({ 'stack/site.yml': PLAY })).toEqual([])
  })

  it.each([
    ['YAML', '- hosts: all\n  tasks:\n    - debug: { msg: x\n', 'site.yml', /./],
    [
      'an attribute',
      '- hosts: all\n  tasks:\n    - debug: { msg: x }\n      whn: true\n',
      'site.yml',
      /whn|conflicting action/,
    ],
    ['a module', '- hosts: all\n  tasks:\n    - no_such_module: {}\n', 'site.yml', /no_such_module/],
  ])('says where %s is wrong', async (_what, playbook, file, message) => {
    const [finding, ...others] = await validated({ 'stack/site.yml': playbook })
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'error', path: `stack/${file}`, message: expect.stringMatching(message) })
    expect(finding?.line).toBeGreaterThan(0)
    expect(finding?.message).not.toContain('/tmp')
  })

  it('names a role and files that are not there', async () => {
    const [finding] = await validated({ 'stack/site.yml': '- hosts: all\n  roles: [nowhere]\n' })
    expect(finding).toMatchObject({
      severity: 'error',
      message: expect.stringContaining("role 'nowhere' was not found"),
    })
    expect(await validated({ 'stack/site.yml': PLAY }, { inventory: ['a.ini'], knownHosts: 'keys' })).toMatchObject([
      { code: 'file_missing', path: 'a.ini' },
      { code: 'file_missing', path: 'keys' },
    ])
  })

  it('warns of check_mode: false, also of blocks', async () => {
    const tasks = '- block:\n    - ping:\n  check_mode: no\n- ping:\n  check_mode: true\n'
    const findings = await validated({
      'stack/site.yml': '- hosts: all\n  roles: [web]\n',
      'stack/roles/web/tasks/main.yml': tasks,
    })
    expect(findings.filter(({ code }) => code === 'check_mode_off')).toMatchObject([
      { severity: 'warning', path: 'stack/roles/web/tasks/main.yml', line: 3 },
    ])
  })

  it('reads no configuration of the worker', async () => {
    const context = await open({ 'stack/site.yml': PLAY })
    try {
      await context.write({ '../ansible.cfg': 'no INI at all' })
      context.env = { ...context.env, ANSIBLE_CONFIG: `${context.root}/ansible.cfg` }
      expect(await ansibleDriver.validate(context)).toEqual([])
    } finally {
      await context.remove()
    }
  })
})

describeWithTool('ansible-lint', 'the linter', () => {
  it('tells what the repository wants to hear', async () => {
    const bad = '- hosts: all\n  tasks:\n    - shell: ls\n'
    const lintOf = async (files: { [path: string]: SourceFile }) => {
      const context = await open(files)
      try {
        return (await ansibleDriver.validate(context)).filter(({ code }) => code?.startsWith('lint'))
      } finally {
        await context.remove()
      }
    }
    expect(await lintOf({ 'stack/site.yml': bad })).toEqual([])
    expect(await lintOf({ 'stack/site.yml': bad, 'stack/.ansible-lint': 'profile: basic\n' })).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        path: 'stack/site.yml',
        message: expect.stringContaining('command-instead-of-shell'),
      }),
    )
  })
})
