import { describe, expect, it } from 'vitest'
import { AnsibleConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'

const PLAYBOOK = '- hosts: all\n  roles: [web]\n'

const reader =
  (files: { [path: string]: string }) =>
  async (path: string): Promise<Buffer | null> =>
    path in files ? Buffer.from(files[path]!) : null
const detected = (files: { [path: string]: string }) => detect(Object.keys(files), reader(files))
const dependenciesOf = (files: { [path: string]: string }, path: string, settings: object = {}) =>
  dependencies(
    reader(files),
    async (directory) => Object.keys(files).filter((file) => file.startsWith(`${directory}/`)),
    path,
    AnsibleConfig.parse(settings),
  )

describe('detection of playbooks', () => {
  it('proposes the main playbook of a directory, with its inventory', async () => {
    expect(
      await detected({
        'web/site.yml': PLAYBOOK,
        'web/debug.yml': PLAYBOOK,
        'web/hosts.ini': 'a\n',
        'web/roles/web/tasks/main.yml': '- ping:\n',
        'web/roles/web/tests/test.yml': PLAYBOOK,
      }),
    ).toEqual([{ path: 'web', with: { inventory: 'hosts.ini' } }])
  })

  it('takes the directory of ansible.cfg, and leaves the inventory to it', async () => {
    expect(
      await detected({
        'ansible.cfg': '[defaults]\ninventory = inventories/production\n',
        'playbooks/site.yml': PLAYBOOK,
        'inventories/production/hosts': 'a\n',
      }),
    ).toEqual([{ path: '.', with: { playbook: 'playbooks/site.yml' } }])
  })

  it('does not guess among several, nor take other YAML for a playbook', async () => {
    expect(await detected({ 'ops/reboot.yml': PLAYBOOK, 'ops/upgrade.yml': PLAYBOOK })).toEqual([])
    expect(
      await detected({
        'k8s/site.yml': 'hosts: [a]\n',
        '.github/main.yml': PLAYBOOK,
        'compose/main.yml': 'services: { web: { image: nginx } }\n',
        'molecule/default/site.yml': PLAYBOOK,
        'list/main.yml': '- name: x\n  hosts: all\n- name: no play\n',
        'broken/site.yml': '- hosts: [\n',
      }),
    ).toEqual([])
  })
})

describe('dependencies of a playbook', () => {
  it('are what settings, ansible.cfg and relative paths name, and what those name', async () => {
    const files = {
      'sites/web/ansible.cfg': '[defaults]\nroles_path = ../../roles:~/.roles\nlibrary=../../library\n',
      'sites/web/site.yml':
        '- hosts: all\n  vars_files: ["../shared/vars.yml"]\n  tasks:\n    - include_tasks: "{{ playbook_dir }}/../shared/tasks.yml"\n    - debug: { msg: "../not/there" }\n',
      'sites/shared/vars.yml': 'a: 1\n',
      'sites/shared/tasks.yml': '- copy: { src: ../../motd, dest: /etc/motd }\n',
      motd: 'hello\n',
      'roles/web/tasks/main.yml': '- ping:\n',
      'library/mine.py': '',
      'inventories/production/hosts': 'a\n',
      'inventories/production/group_vars/all.yml': 'x: 1\n',
    }
    expect(await dependenciesOf(files, 'sites/web', { inventory: '../../inventories/production/hosts' })).toEqual([
      'inventories/production/group_vars',
      'inventories/production/hosts',
      'library',
      'motd',
      'roles',
      'sites/shared/tasks.yml',
      'sites/shared/vars.yml',
    ])
  })

  it('stay inside the repository', async () => {
    await expect(dependenciesOf({}, 'web', { inventory: '../../hosts' })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
  })
})
