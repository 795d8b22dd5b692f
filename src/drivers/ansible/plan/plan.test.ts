import { expect, it, vi } from 'vitest'
import { describeWithHosts } from '../../../../test/hosts/hosts.ts'
import { ansibleDriver } from '../index.ts'
import { playOf } from '../testing/stack.ts'
import { usePlaybooks } from '../../../../test/hosts/use-playbooks.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

describeWithHosts('plan and apply of a playbook', () => {
  const { world, stack } = usePlaybooks(3)
  it('goes all the way: plan, apply, in sync, drift, heal', async () => {
    const context = await stack({
      files: {
        'stack/site.yml': playOf(`
- name: Make the directory
  file: { path: /etc/one, state: directory, mode: "0755" }
- name: Write the configuration
  copy: { dest: /etc/one/app.conf, content: "level={{ level }}\\nname={{ inventory_hostname }}\\n", mode: "0644" }
- name: Write others
  copy: { dest: "/etc/one/{{ item }}.txt", content: "{{ item }}\\n" }
  loop: [a, b]
`),
      },
      with: { extraVars: { level: 80 } },
    })
    const plan = await ansibleDriver.plan(context)
    expect(plan.changes.map(({ address, type, actions }) => `${actions.join()} ${type} ${address}`)).toEqual(
      ['host1', 'host2', 'host3'].flatMap((host) => [
        `create file ${host}/Make the directory: /etc/one`,
        `create copy ${host}/Write the configuration: /etc/one/app.conf`,
        `create copy ${host}/Write others: /etc/one/a.txt`,
        `create copy ${host}/Write others: /etc/one/b.txt`,
      ]),
    )
    expect(plan.changes[5]?.attributes).toEqual([{ path: 'content', before: '', after: 'level=80\nname=host2\n' }])
    expect(plan.coverage).toEqual({ checked: 12, unchecked: [] })
    expect(plan.findings).toEqual([])
    await expect(world.exec(1, 'ls /etc/one')).rejects.toThrow()

    const result = await ansibleDriver.apply(context, plan)
    expect(result).toMatchObject({ status: 'applied', findings: [] })
    expect(result.resources.map(({ status }) => status)).toEqual(plan.changes.map(() => 'done'))
    expect(await world.exec(3, 'cat /etc/one/app.conf')).toBe('level=80\nname=host3\n')
    expect((await ansibleDriver.plan(await context.next())).changes).toEqual([])

    await world.exec(2, 'chmod 600 /etc/one/app.conf')
    await world.exec(3, 'echo more >> /etc/one/b.txt')
    const later = await context.next()
    const drift = await ansibleDriver.plan(later)
    expect(drift.changes).toMatchObject([
      {
        address: 'host2/Write the configuration: /etc/one/app.conf',
        actions: ['update'],
        attributes: [{ path: 'mode', before: '0600', after: '0644' }],
      },
      {
        address: 'host3/Write others: /etc/one/b.txt',
        actions: ['update'],
        attributes: [{ path: 'content', before: 'b\nmore\n', after: 'b\n' }],
      },
    ])
    expect((await ansibleDriver.apply(later, drift)).status).toBe('applied')
    expect((await ansibleDriver.plan(await context.next())).changes).toEqual([])
  })

  it('reports a host that does not answer as unknown, and goes on with the others', async () => {
    const context = await stack({
      files: { 'stack/site.yml': playOf('- copy: { dest: /etc/two, content: two }') },
    })
    await world.cutOff(2)
    try {
      const plan = await ansibleDriver.plan(context)
      expect(plan.changes.map(({ address }) => address)).toEqual(['host1/copy: /etc/two', 'host3/copy: /etc/two'])
      expect(plan.coverage.unchecked).toMatchObject([
        { address: 'host2', unreachable: true, why: expect.stringContaining('unreachable') },
      ])
      expect(plan.findings).toMatchObject([{ severity: 'warning', code: 'host_unreachable' }])
      const result = await ansibleDriver.apply(context, plan)
      expect(result.status).toBe('failed')
      expect(result.findings).toMatchObject([{ code: 'host_unreachable', message: expect.stringContaining('host2') }])
      expect(await world.exec(3, 'cat /etc/two')).toBe('two')
    } finally {
      await world.reconnect(2)
    }
  })

  it('trusts no host whose key it does not know', async () => {
    const context = await stack({
      files: { 'stack/site.yml': playOf('- ping:'), 'stack/known_hosts': '' },
    })
    await expect(ansibleDriver.plan(context)).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
      message: expect.stringMatching(/host key is not known: add it to the stack's knownHosts/),
    })
  })

  it('runs nothing for real in check mode, and says what it could not check', async () => {
    const context = await stack({
      files: {
        'stack/site.yml': playOf(`
- name: Hidden danger
  command: touch /etc/three-danger
  check_mode: false
- name: Migrate
  shell: touch /etc/three-migrated
- name: Look
  command: cat /etc/hostname
  changed_when: false
  check_mode: false
  register: looked
- name: Only after looking
  copy: { dest: /etc/three-looked, content: "{{ looked.stdout }}" }
  when: looked.stdout is match("host")
- name: Look without leave
  command: cat /etc/hostname
  changed_when: false
  register: unseen
- name: Depends
  copy: { dest: /etc/three-depends, content: x }
  when: unseen.stdout == 'host1'
- name: Pause for thought
  command: sleep 0
  async: 10
  poll: 1
`),
      },
      with: { limit: 'host1', readOnlyTasks: ['Look'] },
    })
    const plan = await ansibleDriver.plan(context)
    await expect(world.exec(1, 'ls /etc/three-danger')).rejects.toThrow()
    expect(plan.changes).toMatchObject([
      { address: 'host1/Hidden danger', attributes: [{ path: 'changed', unknown: true }] },
      { address: 'host1/Migrate' },
      { address: 'host1/Only after looking: /etc/three-looked' },
      { address: 'host1/Pause for thought' },
    ])
    expect(plan.coverage.unchecked.map(({ address }) => address)).toEqual([
      'host1/Hidden danger',
      'host1/Migrate',
      'host1/Look without leave',
      'host1/Depends',
      'host1/Pause for thought',
    ])
    expect(plan.findings).toMatchObject([
      { code: 'check_mode_off', severity: 'warning', path: 'stack/site.yml', line: 4 },
      { code: 'check_mode_ran', severity: 'info' },
      { code: 'limited', severity: 'warning', message: expect.stringMatching(/2 hosts of the plays: host2, host3/) },
    ])
    const result = await ansibleDriver.apply(context, plan)
    expect(result.status).toBe('applied')
    expect(result.findings).toEqual([])
    await world.exec(1, 'ls /etc/three-danger /etc/three-migrated /etc/three-looked /etc/three-depends')
    const drift = await ansibleDriver.plan(await context.next({ kind: 'drift' }))
    expect(drift.changes).toEqual([])
    expect(drift.coverage.unchecked).toHaveLength(5)
  })

  it('goes on after a task that fails only because check mode made nothing before it', async () => {
    const context = await stack({
      files: {
        'stack/site.yml': playOf(`
- name: Make the directory
  file: { path: /etc/four, state: directory }
- name: Fill it
  command: test -d /etc/four
  changed_when: false
  check_mode: false
- name: Insert
  lineinfile: { path: /etc/four/list, line: one, create: false }
- name: Later
  copy: { dest: /etc/four-later, content: x }
`),
      },
      with: { limit: 'host2', readOnlyTasks: ['Fill it'] },
    })
    const plan = await ansibleDriver.plan(context)
    expect(plan.changes.map(({ address }) => address)).toEqual([
      'host2/Make the directory: /etc/four',
      'host2/Later: /etc/four-later',
    ])
    expect(plan.findings.filter(({ code }) => code === 'check_failed')).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('host2/Fill it') },
      { severity: 'warning', message: expect.stringContaining('host2/Insert') },
    ])
    const result = await ansibleDriver.apply(context, plan)
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([
      { address: 'host2/Make the directory: /etc/four', status: 'done' },
      { address: 'host2/Insert: /etc/four/list', status: 'failed', message: expect.stringContaining('does not exist') },
      { address: 'host2/Later: /etc/four-later', status: 'skipped' },
    ])
    const again = await ansibleDriver.plan(await context.next())
    expect(again.findings.filter(({ code }) => code === 'check_failed')).toMatchObject([{ severity: 'error' }])
  })
})
