import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'
import { startCluster, type TestCluster } from './kube/cluster.ts'
import { describeWithTool, findTool } from './tools.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const FIXTURES = join(import.meta.dirname, '..', 'src', 'worker', 'sops', 'fixtures')
/** What stands in the fixtures that sops 3.11.0 has written, one for each tool. */
const SECRETS = { terraform: 'tf-deep-secret', ansible: 'bob-likes-coffee' }

const PLAYBOOK = (target: string): string => `- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [vars.yml]
  tasks:
    - copy: { dest: "${target}", content: "{{ users[1].password }}" }
      no_log: true
`
const MODULE = (target: string): string => `variable "db_password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "kept" {
  input = sensitive(sha256(var.db_password))
  provisioner "local-exec" {
    command     = "printf %s \\"$SECRET\\" > ${target}"
    environment = { SECRET = var.db_password }
  }
}
`

/** Every form in which a tool could have let a secret out. */
const forms = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
]

/** Files that SOPS has encrypted, deployed by the real tools of three drivers, with a key that only the worker has. */
describeWithTool('kube-apiserver', 'secrets in Git with Kubernetes, Ansible and Terraform', () => {
  let shell: Shell
  let cluster: TestCluster
  let work: string
  const works = async (args: string[], input?: string): Promise<Ran> => {
    const ran = await shell.run(args, { cwd: work, ...(input !== undefined && { input }) })
    expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}`).toBe(0)
    return ran
  }
  const git = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
    expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
  }
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
  }

  beforeAll(async () => {
    ;[cluster, shell] = await Promise.all([startCluster(), openShell()])
    const tools = ['tofu', 'ansible-playbook', 'kubectl'].flatMap((name) => {
      const tool = findTool(name)
      return tool === null ? [] : [dirname(tool.path)]
    })
    Object.assign(shell.env, {
      SOPS_AGE_KEY_FILE: join(FIXTURES, 'keys.txt'),
      PATH: [...tools, shell.env.PATH ?? process.env.PATH ?? ''].join(delimiter),
    })
    const { url } = await shell.up(['--runner-slots', '2'])
    work = join(shell.home, 'shop')
    await mkdir(work)
    await git('config', '--global', `credential.${url}.helper`, `!${process.execPath} ${MAIN} git-credential`)
  }, 180_000)
  afterAll(async () => {
    await shell?.close()
    await cluster?.stop()
  })

  it('reach their targets, and nothing that is kept or told', { timeout: 300_000 }, async () => {
    const targets = { terraform: join(shell.home, 'by-terraform'), ansible: join(shell.home, 'by-ansible') }
    const hasAnsible = findTool('ansible-playbook') !== null
    const hasTofu = findTool('tofu') !== null
    const stacks = [
      { path: 'kube', driver: 'kubernetes', sops: true, with: { namespace: 'default' } },
      ...(hasTofu ? [{ path: 'tf', driver: 'terraform', sops: true, with: { tool: 'tofu' } }] : []),
      ...(hasAnsible ? [{ path: 'play', driver: 'ansible', sops: true, with: { inventory: 'hosts' } }] : []),
    ]
    const drift = { interval: '1h' }
    await works(['repo', 'create', 'shop'])
    await git('init', '--quiet', '--initial-branch', 'main')
    await write('trueup.yaml', JSON.stringify({ version: 1, environments: { lab: { drift } }, stacks }))
    for (const path of ['kube', 'tf', 'play']) await mkdir(join(work, path))
    await cp(join(FIXTURES, 'vars.yml'), join(work, 'kube/vars.yml'))
    const generators = {
      secretGenerator: [{ name: 'shop', files: ['vars.yml'] }],
      generatorOptions: { disableNameSuffixHash: true },
    }
    await write('kube/kustomization.yaml', JSON.stringify(generators))
    await cp(join(FIXTURES, 'prod.auto.tfvars.json'), join(work, 'tf/prod.auto.tfvars.json'))
    await cp(join(FIXTURES, 'vars.yml'), join(work, 'play/vars.yml'))
    await write('tf/main.tf', MODULE(targets.terraform))
    await write('play/site.yml', PLAYBOOK(targets.ansible))
    await write('play/hosts', 'localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Open the shop')
    await git('remote', 'add', 'origin', (await works(['repo', 'show', 'shop', '--git-url'])).out.trim())
    const kubeconfig = await readFile(cluster.kubeconfig, 'utf8')
    await works(['variable', 'set', 'KUBECONFIG', '--repo', 'shop'], `# the cluster\n${kubeconfig}`)
    await git('push', '--quiet', 'origin', 'main')
    const states = async (): Promise<string[]> => {
      const runs: { id: string; state: string }[] = (await works(['run', 'list', '--kind', 'deploy', '--output', 'json'])).json // biome-ignore format: one call
      for (const { id, state } of runs)
        if (state === 'failed')
          throw new Error((await works(['run', 'logs', id])).out + (await works(['run', 'show', id])).out)
      return runs.map(({ state }) => state)
    }
    const isOver = async (): Promise<boolean> => {
      const all = await states()
      return all.length === stacks.length && all.every((state) => state === 'succeeded')
    }
    await vi.waitUntil(isOver, { timeout: 240_000, interval: 500 })

    const { body } = await cluster.api('GET', '/api/v1/namespaces/default/secrets/shop')
    const live = Buffer.from((body.data as { [name: string]: string })['vars.yml'] ?? '', 'base64').toString()
    for (const secret of ['ada-likes-tea', 'bob-likes-coffee']) expect(live).toContain(secret)
    if (hasTofu) expect(await readFile(targets.terraform, 'utf8')).toBe(SECRETS.terraform)
    if (hasAnsible) expect(await readFile(targets.ansible, 'utf8')).toBe(SECRETS.ansible)

    const said: string[] = []
    for (const { id } of (await works(['run', 'list', '--output', 'json'])).json as { id: string }[]) {
      said.push((await works(['run', 'logs', id])).out, (await works(['run', 'show', id, '--output', 'json'])).out)
    }
    const secrets = ['ada-likes-tea', ...Object.values(SECRETS)].flatMap(forms)
    const all = said.join('\n')
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
    // The database, packs, states and workspaces, as bytes.
    const kept = await runProcess({
      argv: ['grep', '-rlaF', ...secrets.flatMap((secret) => ['-e', secret]), join(shell.home, 'data')],
      cwd: work,
      env: shell.env,
      quiet: true,
    })
    expect(kept.stdout.trim()).toBe('')
    expect(kept.stderr).toBe('')
  })
})
