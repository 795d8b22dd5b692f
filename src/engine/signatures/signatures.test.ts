import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { patchUser } from '../../store/people/users.ts'
import { retryRun } from '../runs/retry.ts'
import { approve, configOf, judged, merge, mrOf, propose, runsOf, unmet } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { createWorld, type World } from '../testing/world.ts'
import { explainCommit } from './explain.ts'
import { type TestKeys, testKeys } from './testing.ts'

let harness: EngineHarness
let world: World
let keys: TestKeys
beforeEach(async () => {
  harness = await startHarness({ signs: true })
  world = createWorld(harness)
  keys = testKeys(harness)
})
afterEach(async () => {
  keys.close()
  await harness.stop()
})

type Signatures = { require: string[]; accept?: string[] }
const BOTH: Signatures = { require: ['commits', 'merges'] }

/** The configuration, with these signers and one environment that asks for signatures. */
function asking(signers: object[], signatures: Signatures = BOTH): string {
  const environments = { production: { tier: 'production', approvals: { required: 1 }, signatures } }
  return JSON.stringify({ ...JSON.parse(configOf({ app: {} }, { environments })), signers })
}

async function begin(signers: object[], signatures?: Signatures): Promise<void> {
  await harness.push('main', { 'trueup.yaml': asking(signers, signatures), 'app/value': '1' })
  await world.adopt()
}

const said = async (id: string): Promise<string> =>
  (await judged(harness, id)).outcome.requirements
    .filter(({ name, satisfied }) => name === 'signatures' && !satisfied)
    .map(({ message }) => message)
    .join('\n')

/** Proposes a change with this signature and says what the gate lacks, besides an approval. */
async function lacking(branch: string, sign?: (commit: string) => Promise<string>): Promise<string> {
  const mr = await propose(harness, branch, { 'app/value': branch }, { ...(sign && { sign }) })
  return await said(mr.id)
}

describe('the gate', () => {
  it('names the commits that lack a signature, and why', async () => {
    const ada = keys.ssh('ada')
    await begin([{ name: 'ada@example.org', ssh: ada }])
    keys.ssh('stranger')
    expect(await lacking('bare')).toMatch(/^not signed as asked for: [0-9a-f]{10}: it bears no signature$/)
    expect(await lacking('other', keys.sshSign('stranger'))).toMatch(
      /a key that is not among the allowed signers \(SHA256:/,
    )
    const mr = await propose(harness, 'good', { 'app/value': '2' }, { sign: keys.sshSign('ada') })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.things.get('production/app')).toBe('2')
    const { mergeOid } = await mrOf(harness, mr.id)
    expect(await explainCommit(harness.engine.parts, harness.repositoryId, mergeOid!)).toMatchObject({
      merge: true,
      signature: 'good',
      environments: [{ name: 'production', asked: true, accepted: true, signer: 'trueup' }],
    })
  })

  it('takes OpenPGP keys, and those that have expired for what they signed before', async () => {
    const bob = keys.gpg('bob@example.org')
    const old = keys.gpg('old@example.org', { at: '20240101T000000', life: '30d' })
    await begin([
      { name: 'bob@example.org', gpg: bob.armoured },
      { name: 'old@example.org', gpg: old.armoured },
    ])
    expect(await lacking('gpg', keys.gpgSign(bob.fingerprint))).toBe('')
    const inTime = keys.gpgSign(old.fingerprint, '2024-01-10T00:00:00Z', '20240110T000000')
    expect(await lacking('in-time', inTime)).toBe('')
    const late = keys.gpgSign(old.fingerprint, '2024-03-10T00:00:00Z', '20240110T000000')
    expect(await lacking('late', late)).toContain('the key of old@example.org expired on 2024-01-31')
    const stranger = keys.gpg('stranger@example.org')
    expect(await lacking('unknown', keys.gpgSign(stranger.fingerprint))).toContain('not among the allowed signers')
  })

  it('takes the key of a person who left for what came before', async () => {
    const ssh = keys.ssh('ada')
    await begin([{ name: 'ada', user: 'author', ssh }])
    const mr = await propose(harness, 'before', { 'app/value': '2' }, { sign: keys.sshSign('ada') })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    harness.clock.advance(60_000)
    const disabledAt = harness.clock.now()
    await harness.store.transaction((tx) => patchUser(tx, harness.users.author.id, { disabledAt }))
    const { parts } = harness.engine
    const before = await explainCommit(parts, harness.repositoryId, mr.headOid)
    expect(before.environments).toMatchObject([{ accepted: true }])
    expect(await lacking('after', keys.sshSign('ada'))).toContain('the account of ada was disabled')
  })

  it('takes signers of the server, and what is revoked there is revoked', async () => {
    await harness.stop()
    const directory = await mkdtemp(join(tmpdir(), 'trueup-signers-'))
    const file = join(directory, 'signers.yaml')
    harness = await startHarness({ signs: true, signersFile: file })
    world = createWorld(harness)
    keys = testKeys(harness)
    const ssh = keys.ssh('ada')
    await writeFile(file, JSON.stringify([{ name: 'ada', ssh }]))
    await begin([])
    expect(await lacking('one', keys.sshSign('ada'))).toBe('')
    await writeFile(file, JSON.stringify([{ name: 'ada', ssh, revoked: 'always' }]))
    expect(await lacking('two', keys.sshSign('ada'))).toContain('the key of ada was revoked')
    await rm(directory, { recursive: true })
  })
})

describe('a deployment', () => {
  it('of an unsigned commit is refused, with all that comes after it, until a signed change accepts it', async () => {
    const ssh = keys.ssh('ada')
    const signers = [{ name: 'ada', ssh }]
    await begin(signers)
    const sign = keys.sshSign('ada')
    // Past the gate, by whoever may.
    const bare = await propose(harness, 'bare', { 'app/value': 'unsigned' })
    await world.work()
    await merge(harness, bare.id, { bypassReason: 'in a hurry' })
    await world.work()
    const [refused] = await runsOf(harness, { kind: 'deploy', state: 'failed' })
    expect(refused).toMatchObject({ reason: 'commit_unsigned', error: { code: 'COMMIT_UNSIGNED' }, plan: null })
    expect(refused!.message).toContain(bare.headOid.slice(0, 10))
    expect(world.things.get('production/app')).toBe('1')

    const next = await propose(harness, 'next', { 'app/other': 'x' }, { sign })
    await world.work()
    await approve(harness, next.id)
    await merge(harness, next.id)
    await world.work()
    expect(world.things.get('production/app')).toBe('1')

    const accept = asking(signers, { ...BOTH, accept: [bare.headOid] })
    const mended = await propose(harness, 'accept', { 'trueup.yaml': accept, 'app/value': '3' }, { sign })
    await world.work()
    expect(await unmet(harness, mended.id)).toEqual(['approvals'])
    await approve(harness, mended.id)
    await merge(harness, mended.id)
    await world.work()
    expect(world.things.get('production/app')).toBe('3')
  })

  it('is not let through by the rules of the unsigned commit itself', async () => {
    const ssh = keys.ssh('ada')
    await begin([{ name: 'ada', ssh }])
    const mine = keys.ssh('mallory')
    const files = { 'trueup.yaml': asking([{ name: 'mallory', ssh: mine }]), 'app/value': 'mine' }
    const mr = await propose(harness, 'take-over', files, { sign: keys.sshSign('mallory') })
    await world.work()
    await merge(harness, mr.id, { bypassReason: 'trust me' })
    await world.work()
    const [refused] = await runsOf(harness, { kind: 'deploy', state: 'failed' })
    expect(refused).toMatchObject({ error: { code: 'SIGNER_UNKNOWN' } })
    const again = await retryRun(harness.engine.parts, { runId: refused!.id, actorId: harness.users.second.id })
    await world.work()
    expect(await runsOf(harness, { kind: 'deploy', state: 'failed' })).toContainEqual(
      expect.objectContaining({ id: again.id, reason: 'signer_unknown' }),
    )
    expect(world.things.get('production/app')).toBe('1')
  })

  it('of what was squashed asks for the signatures of the commits that were', async () => {
    const ssh = keys.ssh('ada')
    await begin([{ name: 'ada', ssh }])
    const good = await propose(harness, 'good', { 'app/value': '2' }, { sign: keys.sshSign('ada') })
    await world.work()
    await approve(harness, good.id)
    await merge(harness, good.id, { squash: true })
    await world.work()
    expect(world.things.get('production/app')).toBe('2')
    const bare = await propose(harness, 'bare', { 'app/value': '3' })
    await world.work()
    await merge(harness, bare.id, { squash: true, bypassReason: 'no' })
    await world.work()
    expect(world.things.get('production/app')).toBe('2')
  })
})
