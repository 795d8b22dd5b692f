import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../../src/cli/testing/process.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { type CloudFormationServer, startCloudFormation } from './server.ts'

/** A merge request, a deployment, drift and its healing, with a real server and runner against the double. */
let shell: Shell
let cloud: CloudFormationServer
let work: string

beforeAll(async () => {
  cloud = await startCloudFormation()
  shell = await openShell()
  await shell.up(['--runner-slots', '2'])
  work = join(shell.home, 'shop')
  await mkdir(work)
})
afterAll(async () => {
  await shell.close()
  await cloud.close()
})

async function works(args: readonly string[], input = ''): Promise<Ran> {
  const ran = await shell.run(args, { cwd: work, input })
  expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}`).toBe(0)
  return ran
}

async function git(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
  expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
}

async function commit(files: { [path: string]: string }, message: string): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
  }
  await git('add', '.')
  await git('commit', '--quiet', '--message', message)
}

const config = (stacks: string): string => `version: 1
environments:
  staging: { tier: staging, drift: { mode: observe, interval: 1h } }
stacks:${stacks}
`
const STACK = (url: string, region: string): string => `
  - path: queue
    driver: cloudformation
    with: { endpoint: "${url}", region: ${region}, pollSeconds: 0.05, secretParameters: { Token: QUEUE_TOKEN } }`
const TEMPLATE = `Parameters: { Token: { Type: String, NoEcho: true } }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: jobs, DelaySeconds: 1 } }
  Secret: { Type: AWS::SSM::Parameter, Properties: { Name: /jobs/token, Type: String, Value: !Ref Token } }
`

it('goes from a merge request over a deployment to healed drift', { timeout: 300_000 }, async () => {
  const main = join(import.meta.dirname, '../../src/cli/main.ts')
  const url = (await works(['repo', 'create', 'shop'])).out.trim()
  const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${main} git-credential`
  await git('config', '--global', `credential.${new URL(url).origin}.helper`, helper)
  await git('init', '--quiet', '--initial-branch', 'main')
  await commit({ 'trueup.yaml': config(' []') }, 'Say the rules')
  await git('remote', 'add', 'origin', (await works(['repo', 'show', 'shop', '--git-url'])).out.trim())
  await git('push', 'origin', 'HEAD:refs/heads/main')
  await works(['variable', 'set', 'AWS_ACCESS_KEY_ID', '--plain'], 'AKIATEST')
  await works(['variable', 'set', 'AWS_SECRET_ACCESS_KEY'], 'not-a-real-key')
  await works(['variable', 'set', 'QUEUE_TOKEN'], 'hunter2-hunter2')

  await git('switch', '--quiet', '--create', 'queue')
  await commit(
    { 'trueup.yaml': config(STACK(cloud.url, cloud.account.region)), 'queue/template.yaml': TEMPLATE },
    'Add a queue',
  )
  await git('push', '-o', 'mr', 'origin', 'HEAD')
  const shown = await works(['mr', 'show', '1', '--wait', '--plan'])
  expect(shown.out).toContain('DelaySeconds')
  expect(shown.out).not.toContain('hunter2')
  expect(cloud.account.objects.size, 'a preview makes nothing').toBe(0)
  expect((await works(['mr', 'merge', '1', '--wait'])).out).toBe('staging/queue: succeeded\n')
  expect(cloud.account.objects.get('/jobs/token')?.properties['Value']).toBe('hunter2-hunter2')

  const queue = [...cloud.account.objects.values()].find(({ type }) => type === 'AWS::SQS::Queue')!
  expect((await works(['drift', 'check', 'staging/queue', '--wait'])).out).toContain('No drift.')
  queue.properties['DelaySeconds'] = 9
  const check = await shell.run(['drift', 'check', 'staging/queue', '--wait', '--output', 'json'], { cwd: work })
  expect([check.code, check.json.drift]).toEqual([2, [expect.objectContaining({ stack: 'staging/queue' })]])
  expect((await works(['drift', 'list'])).out).toContain('DelaySeconds')
  expect((await works(['drift', 'heal', 'staging/queue', '--wait'])).out).toContain('staging/queue: succeeded')
  expect(queue.properties['DelaySeconds']).toBe(1)
})
