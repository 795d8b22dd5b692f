import { expect, it, vi } from 'vitest'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { describeWithHosts } from '../../../../test/hosts/hosts.ts'
import { ansibleDriver } from '../index.ts'
import { playOf } from '../testing/stack.ts'
import { usePlaybooks } from '../../../../test/hosts/use-playbooks.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

describeWithHosts('what a play was meant to look at', () => {
  const { world, stack } = usePlaybooks(3)
  const planOf = async (site: string, settings: { [key: string]: unknown } = {}): Promise<DriverPlan> => {
    const context = await stack({ files: { 'stack/site.yml': site }, with: settings })
    return ansibleDriver.plan(context)
  }
  /** `address: reason`, marked where it was an error. */
  const unseen = ({ coverage }: DriverPlan): string[] =>
    coverage.unchecked.map(({ address, why, failed }) => `${failed ? '! ' : ''}${address}: ${why}`)

  it('is not looked at behind a task that fails in check mode', async () => {
    const plan = await planOf(
      playOf(`
- name: Line
  lineinfile: { path: /etc/none, line: x }
- name: Copy
  copy: { dest: /etc/reach, content: x }
`),
      { limit: 'host1' },
    )
    expect(plan.changes).toEqual([])
    expect(plan.coverage.checked).toBe(0)
    expect(unseen(plan)).toEqual([
      expect.stringMatching(/^! host1\/Line: \/etc\/none: failed in check mode: .*does not exist/),
      'host1/Copy: not reached: "Line" failed before it',
    ])
    expect(plan.findings).toContainEqual(expect.objectContaining({ severity: 'error', code: 'check_failed' }))
  })

  it('is not looked at where it is built from what check mode did not run', async () => {
    const plan = await planOf(
      `${playOf(
        `
- name: Sites
  shell: echo one; echo two
  register: sites
  changed_when: false
- name: Loop
  copy: { dest: "/etc/reach-{{ item }}", content: x }
  loop: "{{ sites.stdout_lines | default([]) }}"
- name: By a variable
  copy: { dest: "/etc/reach-{{ item }}", content: x }
  loop: "{{ names }}"
- set_fact: { first: "{{ sites.stdout | default('') }}" }
- set_fact: { second: "{{ first }}" }
- name: When
  copy: { dest: /etc/reach-when, content: x }
  when: second == 'one'
- name: Content
  copy: { dest: /etc/reach-content, content: "{{ second }}" }
- name: Notifies
  shell: echo changed
  changed_when: "'changed' in it.stdout"
  register: it
  notify: Restart
- name: On {{ inventory_hostname }}
  copy: { dest: "/etc/reach-{{ item.name }}", content: "{{ item.password }}" }
  loop: [{ name: app, password: hunter2hunter2 }]
  loop_control: { label: "{{ item.name }}" }
`,
        '  vars: { names: "{{ sites.stdout_lines | default([]) }}" }\n  handlers: [{ name: Restart, file: { path: /etc/reach-restart, state: touch } }]\n',
      )}- name: Misspelt
  hosts: wbe
  tasks: [{ copy: { dest: /etc/reach-z, content: z } }]
`,
      { limit: 'host1' },
    )
    expect(plan.changes.map(({ address }) => address)).toContain('host1/On {{ inventory_hostname }}: app')
    expect(unseen(plan)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^host1\/Sites: /),
        'host1/Loop: its loop needs the result of "Sites", which check mode did not give',
        'host1/By a variable: its loop needs the result of "Sites", which check mode did not give',
        'host1/When: its condition needs the result of "Sites", which check mode did not give',
        'host1/Content: /etc/reach-content: it is built from the result of "Sites", which check mode did not give',
        expect.stringMatching(/^host1\/Notifies: /),
        '*: play "Misspelt": no host of the inventory matches "wbe"',
      ]),
    )
    const addresses = plan.coverage.unchecked.map(({ address }) => address)
    expect(addresses).toContain('host1/Restart')
    expect(addresses).not.toContainEqual(expect.stringContaining('On {{'))
    expect(plan.findings).toContainEqual(
      expect.objectContaining({ code: 'no_hosts', message: expect.stringContaining('"wbe"') }),
    )
    expect(plan.findings).toContainEqual(
      expect.objectContaining({ code: 'limited', message: expect.stringContaining('host2, host3') }),
    )
  })

  it('is not looked at behind a host that is off, with serial', async () => {
    const tasks = '- name: Copy\n  copy: { dest: /etc/reach, content: x }\n'
    const site = `${playOf(tasks, '  serial: 1\n')}- name: Next\n  hosts: host1\n  gather_facts: false\n  tasks: [{ name: Later, file: { path: /etc/later, state: touch } }]\n`
    await world.cutOff(2)
    try {
      const plan = await planOf(site)
      expect(plan.changes.map(({ address }) => address)).toEqual(['host1/Copy: /etc/reach'])
      expect(unseen(plan)).toEqual([
        expect.stringMatching(/^host2: unreachable: /),
        'host1/Later: its play "Next" was not begun: Ansible stopped because host2 did not answer',
        'host3: not reached: Ansible stopped because host2 did not answer',
      ])
    } finally {
      await world.reconnect(2)
    }
    await world.cutOff(1)
    try {
      const plan = await planOf(playOf(tasks, '  serial: 1\n'))
      expect(plan.coverage).toMatchObject({
        checked: 0,
        unchecked: [{ address: 'host1' }, { address: 'host2' }, { address: 'host3' }],
      })
    } finally {
      await world.reconnect(1)
    }
  })

  const fails = "  lineinfile: { path: /etc/none, line: x }\n  when: inventory_hostname == 'host1'\n"
  const after = '- name: After\n  copy: { dest: /etc/reach, content: x }\n'
  it.for([
    { way: 'any_errors_fatal', play: '  any_errors_fatal: true\n', task: fails },
    { way: 'max_fail_percentage', play: '  max_fail_percentage: 10\n', task: fails },
    { way: 'run_once', play: '', task: '  lineinfile: { path: /etc/none, line: x }\n  run_once: true\n' },
  ])('is not looked at where $way ends it', async ({ play, task }) => {
    const plan = await planOf(playOf(`- name: Fails\n${task}${after}`, play))
    expect(plan.changes).toEqual([])
    expect(plan.coverage.unchecked.filter(({ failed }) => failed)).toHaveLength(1)
    const named = (host: string): boolean => plan.coverage.unchecked.some(({ address }) => address.startsWith(host))
    expect(['host1', 'host2', 'host3'].filter((host) => !named(host))).toEqual([])
    expect(unseen(plan)).toContain('host1/After: not reached: "Fails" failed before it')
  })

  it('is not looked at behind end_host and end_play', async () => {
    const ended = (name: string, meta: string): string =>
      `- name: ${name}\n  hosts: web\n  gather_facts: false\n  tasks:\n    - meta: ${meta}\n      when: inventory_hostname == 'host1'\n    - { name: ${name} after, copy: { dest: /etc/${meta}, content: x } }\n`
    const plan = await planOf(ended('Host', 'end_host') + ended('Play', 'end_play'))
    expect(plan.changes.map(({ address }) => address)).toEqual([
      'host2/Host after: /etc/end_host',
      'host3/Host after: /etc/end_host',
    ])
    // Of the first host nothing at all was looked at, in either play.
    expect(plan.coverage.unchecked.find(({ address }) => address === 'host1')).toMatchObject({ count: 2 })
    expect(unseen(plan).sort()).toEqual([
      'host1: not reached: the play ended before it on this host (meta)',
      'host2/Play after: not reached: the play ended before it on this host (meta)',
      'host3/Play after: not reached: the play ended before it on this host (meta)',
    ])
  })
})
