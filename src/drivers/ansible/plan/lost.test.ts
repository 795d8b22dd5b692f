import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { describeWithHosts, type TestHosts, upHosts } from '../../../../test/hosts/hosts.ts'
import type { TestContext } from '../../testing/context.ts'
import type { AnsibleConfig } from '../config.ts'
import { ansibleDriver } from '../index.ts'
import { ansibleStack, playOf } from '../testing/stack.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

describeWithHosts('results that get lost on their way', () => {
  let world: TestHosts
  const open: TestContext<AnsibleConfig>[] = []
  beforeAll(async () => {
    world = await upHosts(2)
  })
  afterAll(async () => {
    await world?.close()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((context) => context.remove()))
  })
  const planOf = async (site: string, files: { [path: string]: string } = {}): Promise<DriverPlan> => {
    const context = await ansibleStack(world, { files: { 'stack/site.yml': site, ...files } })
    open.push(context)
    return await ansibleDriver.plan(context)
  }
  /** What was planned, and what was not looked at, on one host. */
  const of = (plan: DriverPlan, host: string) => {
    const own = (address: string): string | [] => (address.startsWith(`${host}/`) ? address.slice(host.length + 1) : [])
    return {
      seen: plan.changes
        .filter(({ reason }) => reason !== 'check mode cannot tell what it does')
        .flatMap(({ address }) => own(address)),
      unseen: plan.coverage.unchecked.flatMap(({ address }) => own(address)),
    }
  }
  const copy = (name: string, more = 'x'): string =>
    `- name: ${name}\n  copy: { dest: "/etc/lost-${name.toLowerCase()}", content: "${more}" }\n`

  it('are followed to what builds on them: delegated, asynchronous, repeated, included', async () => {
    const site = playOf(
      `
- name: Delegated
  command: hostname
  delegate_to: host2
  register: delegated
${copy('Ofdelegated', "{{ delegated.stdout | default('') }}")}
- name: Facts
  set_fact: { shared: "{{ delegated.stdout | default('') }}" }
  delegate_to: host2
  delegate_facts: true
  run_once: true
${copy('Offacts', "{{ hostvars['host2'].shared | default('') }}")}
- name: Job
  command: sleep 1
  async: 10
  poll: 0
  register: job
- name: Waits
  async_status: { jid: "{{ job.ansible_job_id | default('none') }}" }
  register: waited
  until: waited.finished | default(true)
  retries: 2
  delay: 1
  failed_when: false
${copy('Ofjob', '{{ waited.finished | default(0) }}')}
- name: Repeats
  command: hostname
  register: repeated
  until: repeated is not failed
  retries: 2
  delay: 1
${copy('Ofrepeats', "{{ repeated.stdout | default('') }}")}
- name: Includes
  include_tasks: each.yml
  loop: "{{ delegated.stdout_lines | default(['one', 'two']) }}"
- name: Role
  include_role: { name: each }
  vars: { given: "{{ delegated.stdout | default('') }}" }
- import_role: { name: each }
- name: Once
  command: hostname
  run_once: true
  register: once
${copy('Ofonce', "{{ once.stdout | default('') }}")}
${copy('Plain')}
  throttle: 1
`,
      '  strategy: linear\n',
    )
    const plan = await planOf(site, {
      'stack/each.yml': '- name: Included\n  copy: { dest: "/etc/lost-{{ item }}", content: x }\n',
      'stack/roles/each/tasks/main.yml': `${copy('Inrole', "{{ given | default('x') }}")}`,
    })
    const unseen = ['Delegated', 'Ofdelegated', 'Offacts', 'Job', 'Waits', 'Ofjob', 'Repeats', 'Ofrepeats', 'Ofonce']
    const dependent = ['Includes', 'each : Inrole (2)']
    for (const host of ['host1', 'host2']) {
      const { seen, unseen: told } = of(plan, host)
      for (const name of [...unseen, ...dependent])
        expect(
          told.some((address) => address.startsWith(name)),
          `${host} ${name}`,
        ).toBe(true)
      expect(seen, host).toContain('Plain: /etc/lost-plain')
      for (const name of ['Plain: /etc/lost-plain', 'each : Inrole: /etc/lost-inrole'])
        expect(told, host).not.toContain(name)
    }
  })

  it('are followed on the hosts that have lost them, by variables of each host, and on no others', async () => {
    const plan = await planOf(
      playOf(`
- name: Probe
  command: hostname
  register: probe
  when: inventory_hostname == 'host1'
${copy('Direct', "{{ probe.stdout | default('none') }}")}
${copy('Byhost', '{{ mine }}')}
${copy('Other', "{{ hostvars['host1'].probe.stdout | default('none') }}")}
`),
      {
        'stack/host_vars/host1.yml': 'mine: fixed\n',
        'stack/host_vars/host2.yml': `mine: "{{ hostvars['host1'].probe.stdout | default('none') }}"\n`,
      },
    )
    expect(of(plan, 'host1').unseen).toEqual(['Probe', 'Direct: /etc/lost-direct', 'Other: /etc/lost-other'])
    expect(of(plan, 'host2').unseen).toEqual(['Byhost: /etc/lost-byhost', 'Other: /etc/lost-other'])
  })

  it('and tasks that a block, an end or another order keeps from being reached are told, once, and no others', async () => {
    const fails = '  lineinfile: { path: /etc/none, line: x }\n'
    const site = `${playOf(
      `
- block:
    - name: Breaks
      lineinfile: { path: /etc/none, line: x }
      when: inventory_hostname == 'host1'
    - name: Behind
      copy: { dest: /etc/lost-behind, content: x }
  rescue:
    - name: Rescues
      copy: { dest: /etc/lost-rescues, content: x }
  always:
    - name: Always
      copy: { dest: /etc/lost-always, content: x }
${copy('Later')}
- name: Stops
${fails}  when: inventory_hostname == 'host1'
${copy('Between')}
- meta: clear_host_errors
${copy('Cleared')}
- meta: end_host
  when: inventory_hostname == 'host2'
${copy('Last')}
`,
      '  strategy: free\n',
    )}- name: Second
  hosts: web
  gather_facts: false
  serial: 1
  tasks:
    - { name: Batch, copy: { dest: /etc/lost-batch, content: x } }
    - { name: Once, copy: { dest: /etc/lost-once, content: x }, run_once: true }
`
    const plan = await planOf(site)
    const file = (name: string): string => `${name}: /etc/lost-${name.toLowerCase()}`
    const both = ['Always', 'Later', 'Between', 'Cleared', 'Batch', 'Once'].map(file)
    expect(of(plan, 'host1').seen.toSorted()).toEqual([...both, file('Rescues'), file('Last')].toSorted())
    expect(of(plan, 'host2').seen.toSorted()).toEqual([...both, file('Behind')].toSorted())
    expect(of(plan, 'host1').unseen.toSorted()).toEqual(['Behind', 'Breaks: /etc/none', 'Stops: /etc/none'])
    expect(of(plan, 'host2').unseen).toEqual(['Last'])
    expect(plan.coverage).toMatchObject({ checked: both.length * 2 + 3 })
  })
})
