import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWithHosts, type TestHosts, upHosts } from '../../../../test/hosts/hosts.ts'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { ansibleDriver } from '../index.ts'
import { type AnsibleStack, ansibleStack, playOf } from '../testing/stack.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

const OLD = 'tomatoes-of-yesterday'
const NEW = 'tomatoes-of-tomorrow'
const SITE = playOf('- name: Token\n  copy: { dest: /etc/vaulted, content: "user\\n{{ token }}\\n" }\n')

describeWithHosts('what the repository holds vaulted', () => {
  let world: TestHosts
  let passwords: string
  beforeAll(async () => {
    world = await upHosts(1)
    passwords = await mkdtemp(join(tmpdir(), 'trueup-vault-'))
  })
  afterAll(async () => {
    await world?.close()
    await rm(passwords, { recursive: true, force: true })
  })

  /** A file of variables with one value that is encrypted by itself. */
  const vaulted = async (value: string, password: string): Promise<string> => {
    const file = join(passwords, 'password')
    await writeFile(file, password)
    const argv = ['encrypt_string', '--vault-password-file', file, '--name', 'token', value]
    return execFileSync('ansible-vault', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  }
  const deployedTree = async (files: { [path: string]: string }): Promise<string> => {
    const root = await mkdtemp(join(passwords, 'deployed-'))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 })
    }
    return root
  }
  const planOf = async (stack: AnsibleStack, changes: object = {}): Promise<{ plan: DriverPlan; said: string }> => {
    const first = await ansibleStack(world, stack)
    try {
      const context = await first.next(changes)
      const plan = await ansibleDriver.plan(context)
      return { plan, said: JSON.stringify([plan, context.lines]) }
    } finally {
      await first.remove()
    }
  }

  it('is hidden when it is rotated with its password, and when it is taken out', async () => {
    await world.exec(1, `printf 'user\\n${OLD}\\n' > /etc/vaulted`)
    const group = 'stack/group_vars/all.yml'
    const before = await deployedTree({ [group]: await vaulted(OLD, 'first-password') })
    const deployed = async () => before
    const rotated = { files: { 'stack/site.yml': SITE, [group]: await vaulted(NEW, 'second-password') } }
    const settings = { env: { VAULT: 'second-password' }, with: { vaultPassword: 'VAULT' } }
    const secret = { attributes: [{ path: 'content', sensitive: true, before: expect.stringMatching(/^hmac:/) }] }

    const opened = await planOf({ ...rotated, ...settings }, { deployed, formerSecrets: ['first-password'] })
    expect(opened.plan.changes).toMatchObject([secret])
    expect(opened.plan.findings).toEqual([])
    expect(opened.said).not.toMatch(/tomatoes/)
    expect(opened.plan.changes[0]?.attributes[0]?.shown).toBe('2 lines: 1 written, 1 taken away')
    const asked = { deployed, formerSecrets: ['first-password'], showSecretDiff: true }
    const shown = await planOf({ ...rotated, ...settings }, asked)
    expect(shown.plan.changes[0]?.attributes[0]?.shown).toBe(' user\n-***\n+***')

    const plain = { 'stack/site.yml': SITE, [group]: 'token: in the open\n' }
    const out = await planOf({ files: plain }, { deployed, formerSecrets: ['first-password'] })
    expect(out.plan.changes).toMatchObject([secret])
    expect(out.said).not.toMatch(/tomatoes/)

    // Its password is gone for good: nobody can tell what of the host is the secret.
    const lost = await planOf({ files: plain }, { deployed, formerSecrets: ['another-password'] })
    expect(lost.plan.changes).toMatchObject([secret])
    expect(lost.plan.findings).toMatchObject([{ code: 'former_vault_closed', severity: 'info' }])
    expect(lost.said).not.toMatch(/tomatoes/)
  })

  const script = { content: '#!/bin/sh\necho by-a-script\n', mode: 0o755 }
  const ways: ({ way: string } & AnsibleStack)[] = [
    {
      way: 'a script that ansible.cfg names',
      files: { 'stack/ansible.cfg': '[defaults]\nvault_password_file = pass.sh\n' },
    },
    {
      way: 'a vault id of ansible.cfg',
      files: { 'stack/ansible.cfg': '[defaults]\nvault_identity_list = it@pass.sh\n' },
    },
    { way: 'an environment variable', env: { ANSIBLE_VAULT_PASSWORD_FILE: 'pass.sh' } },
    {
      way: 'settings, though ansible.cfg asks',
      files: { 'stack/ansible.cfg': '[defaults]\nask_vault_pass = yes\n' },
      env: { VAULT: 'by-a-script' },
      with: { vaultPassword: 'VAULT' },
    },
  ]
  it.for(ways)('is hidden where its password comes by $way', async ({ files, env, with: settings }) => {
    await world.exec(1, 'rm -f /etc/vaulted')
    const { plan, said } = await planOf({
      ...(env && { env }),
      ...(settings && { with: settings }),
      files: {
        ...files,
        'stack/site.yml': SITE,
        'stack/pass.sh': script,
        'stack/group_vars/all.yml': await vaulted(NEW, 'by-a-script'),
      },
    })
    expect(plan.changes).toMatchObject([{ attributes: [{ path: 'content', sensitive: true }] }])
    expect(said).not.toMatch(/tomatoes|by-a-script/)
  })

  const asking: ({ why: string } & AnsibleStack)[] = [
    { files: { 'stack/ansible.cfg': '[defaults]\nask_vault_pass = True\n' }, why: 'ask_vault_pass in ansible.cfg' },
    {
      files: { 'stack/ansible.cfg': '[defaults]\nvault_identity_list = a@pass.sh, b@prompt\n' },
      why: 'vault_identity_list',
    },
    { env: { ANSIBLE_ASK_VAULT_PASS: '1' }, why: 'ANSIBLE_ASK_VAULT_PASS' },
  ]
  it.for(asking)(
    'is refused where a person would be asked for its password: $why',
    async ({ files, why, ...stack }) => {
      const asked = planOf({
        ...stack,
        files: { 'stack/site.yml': SITE, ...files },
      })
      await expect(asked).rejects.toMatchObject({ code: 'CONFIG_INVALID', text: { why: expect.stringContaining(why) } })
    },
  )
})
