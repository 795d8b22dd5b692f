import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { LONGEST_TOKEN_MS } from '../../domain/stacks/identity.ts'
import { patchWorker } from '../../store/workers/workers.ts'
import { approve, configOf, merge, propose, runsOf, unmet } from '../testing/flows.ts'
import { leaseOne, workAll, workOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { issuerKeySet, listIssuerKeys, rotateIssuerKeys, tendIssuerKeys } from './issuer.ts'

const IDENTITY = {
  AWS_WEB_IDENTITY_TOKEN: { audience: 'sts.amazonaws.com' },
  VAULT_TOKEN_IN: { audience: ['vault', 'vault-too'], phase: 'apply' },
}
const config = (trust?: string, required = 0): string =>
  configOf(
    { app: { identity: IDENTITY, timeout: '2h' } },
    { environments: { lab: { approvals: { required }, ...(trust && { trust }) } } },
  )
const { harness, world } = useWorld({ still: true })

const capable = (capabilities = ['sandbox', 'identity']) =>
  harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { capabilities } }))
const deployed = async (trust?: string, required?: number): Promise<void> => {
  await capable()
  await harness.push('main', { 'trueup.yaml': config(trust, required), 'app/value': '1' })
  await world.adopt()
}
const parts = () => harness.engine.parts
/** As a cloud does: by the keys that are shown. */
const verified = async (token: string, audience: string) =>
  (
    await jwtVerify(token, createLocalJWKSet(await issuerKeySet(parts())), {
      issuer: 'http://127.0.0.1:1',
      audience,
      currentDate: new Date(harness.clock.now()),
    })
  ).payload

it('each phase gets its own tokens, which say what runs where, for whom and how long', async () => {
  await deployed()
  const mr = await propose(harness, 'two', { 'app/value': '2' })
  const preview = (await leaseOne(harness))!
  const tokens = preview.identityTokens!
  expect(Object.keys(tokens)).toEqual(['AWS_WEB_IDENTITY_TOKEN'])
  const claims = await verified(tokens.AWS_WEB_IDENTITY_TOKEN!, 'sts.amazonaws.com')
  expect(claims).toEqual({
    iss: 'http://127.0.0.1:1',
    aud: 'sts.amazonaws.com',
    iat: Math.floor(harness.clock.now() / 1000),
    // No preview holds a slot for longer than an hour, but its stack may.
    exp: Math.floor(harness.clock.now() / 1000) + 7_200,
    jti: expect.any(String),
    sub: 'repo:shop:env:lab:stack:app:phase:plan',
    groups: ['repo:shop:env:lab:phase:plan'],
    repository: 'shop',
    repository_id: harness.repositoryId,
    environment: 'lab',
    stack: 'app',
    stack_id: preview.stack.id,
    driver: 'command',
    phase: 'plan',
    run_id: preview.runId,
    run_kind: 'preview',
    commit: preview.commit,
    ref: 'refs/heads/two',
    mr: mr.number,
    actor: 'author',
    worker: 'puppet',
    worker_pool: 'default',
  })
  await expect(verified(tokens.AWS_WEB_IDENTITY_TOKEN!, 'another')).rejects.toThrow('aud')
  await workOne(harness, preview, world.script)
  await approve(harness, mr.id)
  await merge(harness, mr.id)
  await harness.settle()
  const deploy = (await leaseOne(harness))!
  expect(decodeJwt(deploy.identityTokens!.AWS_WEB_IDENTITY_TOKEN!)).toMatchObject({
    phase: 'plan',
    run_kind: 'deploy',
    ref: 'refs/heads/main',
  })
  const { decision } = await workOne(harness, deploy, world.script)
  const given = (decision as { identityTokens: { [name: string]: string } }).identityTokens
  expect(Object.keys(given)).toEqual(['AWS_WEB_IDENTITY_TOKEN', 'VAULT_TOKEN_IN'])
  const sub = 'repo:shop:env:lab:stack:app:phase:apply'
  expect(await verified(given.VAULT_TOKEN_IN!, 'vault-too')).toMatchObject({ sub, aud: ['vault', 'vault-too'] })
})

it('code that nobody vouches for gets none, whatever it asks for, until its head is approved', async () => {
  await deployed('approved', 1)
  const more = config('approved', 1).replace('"audience":"sts', '"audience":"my.sts')
  const mr = await propose(harness, 'two', { 'app/value': '2', 'trueup.yaml': more })
  const first = (await leaseOne(harness))!
  expect(first.sandbox).toMatchObject({ untrusted: true })
  expect(JSON.stringify(first)).not.toContain('identityTokens')
  expect(JSON.stringify(first)).not.toMatch(/"ey[\w-]+\./)
  await workOne(harness, first, world.script)
  await approve(harness, mr.id)
  const second = (await leaseOne(harness))!
  expect(Object.keys(second.identityTokens!)).toEqual(['AWS_WEB_IDENTITY_TOKEN'])
})

it('a change of who a stack is to clouds is a change of rules', async () => {
  await deployed(undefined, 1)
  const wider = config(undefined, 1).replace('"phase":"apply"', '"phase":"plan"')
  const mr = await propose(harness, 'two', { 'trueup.yaml': wider })
  await workAll(harness, world.script)
  expect(await unmet(harness, mr.id)).toContain('approvals')
})

it('a worker that would not hand them on is told to be upgraded', async () => {
  await deployed()
  await capable(['sandbox'])
  await propose(harness, 'two', { 'app/value': '2' })
  expect(await leaseOne(harness)).toBeNull()
  const [run] = await runsOf(harness, { kind: 'preview' })
  expect(run).toMatchObject({ state: 'failed', error: { code: 'PROTOCOL_MISMATCH' } })
})

it('a new key is shown before it signs, the old one until its last token has ended', async () => {
  await deployed()
  const token = async (): Promise<string> => {
    await propose(harness, `b${harness.clock.now()}`, { 'app/value': String(harness.clock.now()) })
    const grant = (await leaseOne(harness))!
    await workOne(harness, grant, world.script)
    return grant.identityTokens!.AWS_WEB_IDENTITY_TOKEN!
  }
  const kid = async (): Promise<string> => decodeProtectedHeader(await token()).kid!
  const first = await kid()
  await rotateIssuerKeys(parts(), { now: false, actor: 'system' })
  expect((await listIssuerKeys(parts())).map(({ signs }) => signs)).toEqual([true, false])
  harness.clock.advance(2 * 60 * 60_000 - 1_000)
  const last = await token()
  expect(decodeProtectedHeader(last).kid).toBe(first)
  harness.clock.advance(1_000)
  const second = await kid()
  expect(second).not.toBe(first)
  await verified(last, 'sts.amazonaws.com')
  harness.clock.advance(LONGEST_TOKEN_MS)
  await tendIssuerKeys(parts())
  expect((await listIssuerKeys(parts())).map(({ id }) => id)).toEqual([second])
  await expect(verified(last, 'sts.amazonaws.com')).rejects.toThrow()

  const stolen = await token()
  await rotateIssuerKeys(parts(), { now: true, actor: 'system' })
  await expect(verified(stolen, 'sts.amazonaws.com')).rejects.toThrow()
  harness.clock.advance(91 * 24 * 60 * 60_000)
  await tendIssuerKeys(parts())
  expect(await listIssuerKeys(parts())).toMatchObject([{ signs: true }, { signs: false }])
  const rows = await harness.store.db.selectFrom('issuerKeys').selectAll().execute()
  expect(JSON.stringify(rows)).not.toMatch(/"d\\?":|PRIVATE/)
})
