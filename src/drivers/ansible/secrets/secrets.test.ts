import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWithHosts, type TestHosts, upHosts } from '../../../../test/hosts/hosts.ts'
import { applyIgnoreToChanges } from '../../../domain/plans/ignore.ts'
import { ansibleDriver } from '../index.ts'
import { ansibleStack, playOf } from '../testing/stack.ts'

describeWithHosts('inputs, outputs, secrets and ignore rules of a playbook', () => {
  let world: TestHosts
  beforeAll(async () => {
    world = await upHosts(1)
  })
  afterAll(async () => {
    await world?.close()
  })

  it('takes inputs as variables and in inventories, gives outputs, and tells no secret', async () => {
    const context = await ansibleStack(world, {
      with: { inventory: ['hosts.py'] },
      inputs: {
        web_address: { value: world.hosts[0]!.address, sensitive: false },
        token: { value: 'token-of-another-stack', sensitive: true },
      },
      files: {
        'stack/hosts.py': {
          content: `#!/usr/bin/env python3
import json, os
inputs = json.load(open(os.environ["TRUEUP_INPUTS_FILE"]))
assert os.environ["TRUEUP_INPUT_WEB_ADDRESS"] == inputs["web_address"]
assert "SSH_KEY" not in os.environ
print(json.dumps({"web": {"hosts": ["web1"]}, "_meta": {"hostvars": {"web1": {
    "ansible_host": inputs["web_address"], "ansible_python_interpreter": "/usr/bin/python3"}}}}))
`,
          mode: 0o755,
        },
        'stack/site.yml': playOf(`
- name: Write with a secret
  copy: { dest: /etc/token, content: "{{ token }} {{ trueup.environment }}\\n" }
- name: Hidden
  copy: { dest: /etc/hidden, content: "hidden-thing\\n" }
  no_log: true
- name: Users
  debug: { msg: "{{ item }}" }
  changed_when: true
  loop: [{ password: token-of-another-stack }]
- set_stats: { data: { url: "http://{{ web_address }}/", secret: "{{ token }}" } }
`),
      },
    })
    try {
      const plan = await ansibleDriver.plan(context)
      expect(plan.changes).toMatchObject([
        { address: 'web1/Write with a secret: /etc/token', attributes: [{ path: 'content', sensitive: true }] },
        {
          address: 'web1/Hidden',
          attributes: [{ path: 'changed', unknown: true, sensitive: true }],
          reason: 'hidden by no_log',
        },
      ])
      const url = { value: `http://${world.hosts[0]!.address}/`, sensitive: false }
      expect(plan.outputs).toMatchObject({ url, secret: { sensitive: true } })
      const result = await ansibleDriver.apply(context, plan)
      expect(result.outputs).toEqual({ url, secret: { value: 'token-of-another-stack', sensitive: true } })
      expect(await world.exec(1, 'cat /etc/token /etc/hidden')).toBe('token-of-another-stack staging\nhidden-thing\n')
      const said = JSON.stringify([plan, result.findings, result.resources, context.lines])
      expect(said).not.toMatch(/token-of-another-stack|hidden-thing|PRIVATE KEY/)
    } finally {
      await context.remove()
    }
  })

  // Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
  vi.setConfig({ testTimeout: 300_000 })

  it('keeps what ignore rules cover, in tasks that write other things too', async () => {
    const context = await ansibleStack(world, {
      files: {
        'stack/site.yml': playOf(`
- name: Write
  copy: { dest: "/etc/ignored-{{ item }}", content: "wanted\\n", mode: "0644", owner: root }
  loop: [a, b]
`),
      },
    })
    try {
      await ansibleDriver.apply(context, await ansibleDriver.plan(context))
      await world.exec(1, 'chmod 600 /etc/ignored-a; chown nobody /etc/ignored-a; echo by hand > /etc/ignored-b')
      const rules = [
        { address: '*/Write: /etc/ignored-a', attribute: 'mode' },
        { address: '*/**', attribute: 'content' },
      ]
      const its = await context.next({ ignore: rules })
      const plan = await ansibleDriver.plan(its)
      expect(applyIgnoreToChanges(plan.changes, rules)).toMatchObject([
        { address: 'host1/Write: /etc/ignored-a', attributes: [{ path: 'owner', before: 65534, after: 0 }] },
      ])
      expect(plan.findings).toEqual([])
      expect((await ansibleDriver.apply(its, plan)).status).toBe('applied')
      expect(await world.exec(1, 'stat -c "%a %U" /etc/ignored-a; cat /etc/ignored-b')).toBe('600 root\nby hand\n')
    } finally {
      await context.remove()
    }
  })

  it('installs what is required and not in the repository, once', async () => {
    const context = await ansibleStack(world, {
      with: { requirements: 'requirements.yml' },
      files: {
        'stack/site.yml': '- hosts: web\n  gather_facts: false\n  roles: [greeter]\n',
        'stack/requirements.yml': 'roles:\n  - name: greeter\n    src: file:///nowhere/greeter.tar.gz\n',
      },
    })
    try {
      await expect(ansibleDriver.plan(context)).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        text: { next: expect.stringContaining('ansible-galaxy role install -r requirements.yml -p roles') },
      })
      const key = await readFile(world.identity, 'utf8')
      expect(context.lines.join('\n')).not.toContain(key.split('\n')[1])
      // What the repository has is not asked for.
      await context.write({ 'stack/roles/greeter/tasks/main.yml': '- copy: { dest: /etc/greeting, content: hi }\n' })
      const plan = await ansibleDriver.plan(await context.next())
      expect(plan.changes.map(({ address }) => address)).toEqual(['host1/greeter : copy: /etc/greeting'])
    } finally {
      await context.remove()
    }
  })

  it('asks for a variable that its settings name', async () => {
    const context = await ansibleStack(world, {
      with: { vaultPassword: 'NOT_SET' },
      files: { 'stack/site.yml': playOf('- ping:') },
    })
    try {
      await expect(ansibleDriver.plan(context)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        text: { next: 'Set it: trueup variable set NOT_SET --environment staging' },
      })
    } finally {
      await context.remove()
    }
  })
})
