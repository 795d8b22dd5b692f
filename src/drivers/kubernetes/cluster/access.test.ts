import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type TestContext, testContext } from '../../testing/context.ts'
import { KubernetesConfig } from '../config.ts'
import { clusterAccess } from './access.ts'

const config = (user: object, more: object = {}): string =>
  JSON.stringify({
    clusters: [
      { name: 'one', cluster: { server: 'https://one.example.org:6443/', 'certificate-authority': 'ca.crt' } },
      { name: 'two', cluster: { server: 'https://two.example.org' } },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'a', context: { cluster: 'one', user: 'me', namespace: 'shop' } },
      { name: 'b', context: { cluster: 'two', user: 'me' } },
    ],
    'current-context': 'a',
    ...more,
  })

let context: TestContext<KubernetesConfig>
afterEach(() => context.remove())

async function open(settings: object, files: { [path: string]: string }, env: { [name: string]: string } = {}) {
  context = await testContext({ config: KubernetesConfig.parse(settings), files, env })
  return context
}

it('takes cluster, user and namespace of a context; files are beside the kubeconfig', async () => {
  const files = { 'stack/k/config': config({ token: 'very-secret-token' }), 'stack/k/ca.crt': 'CERT' }
  const access = await clusterAccess(await open({ kubeconfig: 'k/config' }, files))
  expect(access).toMatchObject({ server: 'https://one.example.org:6443', tls: { ca: 'CERT' }, namespace: 'shop' })
  expect(await access.headers()).toEqual({ authorization: 'Bearer very-secret-token' })
  expect(context.masked).toContain('very-secret-token')
  const other = await clusterAccess(await context.next({ config: { ...context.config, context: 'b' } }))
  expect(other.server).toBe('https://two.example.org')
  expect(other.identity).not.toBe(access.identity)
})

it.each([
  ['with lines', '\n'],
  ['in one line', ''],
])('takes the text itself from a variable, %s, and asks programs for tokens', async (_, end) => {
  await open({ context: 'b' }, {})
  const program = join(context.root, 'credential')
  await writeFile(program, '#!/bin/sh\necho "{\\"status\\": {\\"token\\": \\"from-$WHO\\"}}"\n')
  await chmod(program, 0o755)
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program, env: [{ name: 'WHO', value: 'me' }] }
  const env = { ...context.env, KUBECONFIG: `${config({ exec })}${end}` }
  const access = await clusterAccess(await context.next({ env }))
  expect(await access.headers()).toEqual({ authorization: 'Bearer from-me' })
})

it('uses the account of its pod, and reads its token anew', async () => {
  await open({ impersonate: { user: 'deployer', groups: ['a', 'b'] } }, {})
  const account = join(context.root, 'account')
  await mkdir(account)
  for (const [name, text] of Object.entries({ token: 'one\n', 'ca.crt': 'CERT', namespace: 'trueup' }))
    await writeFile(join(account, name), text)
  const env = {
    ...context.env,
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    TRUEUP_SERVICE_ACCOUNT: account,
  }
  const access = await clusterAccess(await context.next({ env }))
  expect(access).toMatchObject({ server: 'https://10.0.0.1:443', tls: { ca: 'CERT' }, namespace: 'trueup' })
  await writeFile(join(account, 'token'), 'two')
  expect(await access.headers()).toEqual({
    authorization: 'Bearer two',
    'impersonate-user': 'deployer',
    'impersonate-group': ['a', 'b'],
  })
})

it.each([
  [{}, {}, /names no kubeconfig/],
  [{ kubeconfig: 'gone' }, {}, /no such file/],
  [{ kubeconfig: 'c' }, { 'stack/c': '[' }, /no kubeconfig/],
  [{ kubeconfig: 'c', context: 'nowhere' }, { 'stack/c': config({}) }, /no context "nowhere"/],
  [{ kubeconfig: 'c' }, { 'stack/c': config({}, { 'current-context': '' }) }, /no current context/],
  [{ kubeconfig: 'c' }, { 'stack/c': config({}) }, /ca.crt cannot be read/],
])('says what is wrong: %j', async (settings, files, message) => {
  const opened = await open(settings, files as { [path: string]: string })
  await expect(clusterAccess(opened)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message),
  })
})
