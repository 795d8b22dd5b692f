import { describe, expect, it } from 'vitest'
import { AnsibleConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'

const PLAYBOOK = '- hosts: all\n  roles: [web]\n'

const reader =
  (files: { [path: string]: string }) =>
  async (path: string): Promise<Buffer | null> =>
    path in files ? Buffer.from(files[path]!) : null
const detected = async (files: { [path: string]: string }) => (await detect(Object.keys(files), reader(files))).stacks
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
    ).toMatchObject([{ path: 'web', with: { inventory: 'hosts.ini' } }])
  })

  it('takes the directory of ansible.cfg, and leaves the inventory to it', async () => {
    expect(
      await detected({
        'ansible.cfg': '[defaults]\ninventory = inventories/production\n',
        'playbooks/site.yml': PLAYBOOK,
        'inventories/production/hosts': 'a\n',
      }),
    ).toMatchObject([{ path: '.', with: { playbook: 'playbooks/site.yml' } }])
  })

  it('takes each of several that no other stands for, and none that acts once', async () => {
    const files = {
      'ops/reboot.yml': PLAYBOOK,
      'ops/upgrade.yml': PLAYBOOK,
      'ops/web.yml': PLAYBOOK,
      'ops/db.yml': PLAYBOOK,
      'ops/hosts': 'a\n',
      'k3s/cluster.yml': `- import_playbook: nodes.yml\n${PLAYBOOK}`,
      'k3s/nodes.yml': PLAYBOOK,
      'k3s/reset.yml': PLAYBOOK,
      'k3s/inventory/one/hosts.ini': 'a\n',
    }
    const { stacks, leftOut } = await detect(Object.keys(files), reader(files))
    expect(stacks).toMatchObject([
      { path: 'k3s', with: { playbook: 'cluster.yml', inventory: 'inventory/one' } },
      { path: 'ops', name: 'ops/web', with: { playbook: 'web.yml', inventory: 'hosts' } },
      { path: 'ops', name: 'ops/db', with: { playbook: 'db.yml', inventory: 'hosts' } },
    ])
    expect(leftOut.map(({ path }) => path)).toEqual([
      'k3s/nodes.yml',
      'k3s/reset.yml',
      'ops/reboot.yml',
      'ops/upgrade.yml',
    ])
  })

  it('runs a playbook against the inventory of each environment', async () => {
    const forms = [
      ['inventories/prod/hosts', 'inventories/staging/hosts'],
      ['inventory/prod.ini', 'inventory/staging.ini'],
      ['prod', 'staging'],
      ['hosts-prod.yml', 'hosts-staging.yml'],
      ['prod/hosts.yml', 'staging/hosts.yml'],
    ]
    const found = await Promise.all(
      forms.map((files) => detected({ 'site.yml': PLAYBOOK, ...Object.fromEntries(files.map((file) => [file, ''])) })),
    )
    expect(found.map((stacks) => stacks.map((one) => [one.environment, one.with?.['inventory']]))).toEqual([
      [
        ['prod', 'inventories/prod'],
        ['staging', 'inventories/staging'],
      ],
      [
        ['prod', 'inventory/prod.ini'],
        ['staging', 'inventory/staging.ini'],
      ],
      [
        ['prod', 'prod'],
        ['staging', 'staging'],
      ],
      [
        ['prod', 'hosts-prod.yml'],
        ['staging', 'hosts-staging.yml'],
      ],
      [
        ['prod', 'prod'],
        ['staging', 'staging'],
      ],
    ])
  })

  it('takes no other YAML for a playbook', async () => {
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
