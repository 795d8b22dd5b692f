import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Source } from '../runs/source.ts'
import { allow, STACK, type SignedWorld, signedWorld, TRAILERS } from './testing.ts'

const CONFIG = `version: 1
environments: { production: { workers: edge } }
stacks:
  - { path: web, driver: files, with: { target: /srv/web }, verify: ["true"] }
  - { path: other/*, driver: files, needs: [web], with: { target: /srv/other } }
  - { path: lost, driver: files, with: { target: /srv/lost } }
`
let world: SignedWorld
let good: string
let signers: string
let source: Source

beforeAll(async () => {
  world = signedWorld()
  good = world.key('good')
  signers = join(world.directory, 'allowed')
  allow(signers, good)
  source = await world.open({ signers: { ssh: signers } })
})
afterAll(() => world.close())

/** A signed commit of its own history. */
const first = (text: string, how: Parameters<SignedWorld['commit']>[1] = {}, more: { [path: string]: string } = {}) =>
  world.commit({ 'trueup.yaml': CONFIG, 'web/motd': text, 'lost/x': 'x', ...more }, { key: good, parents: [], ...how })
const fetch = (commit: string, from = source) => world.fetch(from, world.grant(commit))
/** Nothing is held of what was fetched and not applied. */
const fresh = (commit: string, from = source) => world.fetch(from, world.grant(commit))

it('takes files and settings from the signed commit, whatever the server says', async () => {
  const fetched = await fresh(first('signed\n'))
  if (typeof fetched === 'string') throw new Error(fetched)
  expect(fetched.read('web/motd')).toBe('signed\n')
  expect(fetched.grant).toMatchObject({
    driver: 'files',
    driverConfig: { target: '/srv/web' },
    paths: ['web'],
    verify: [{ run: 'true' }],
  })
})

describe('signatures', () => {
  it.each<[string, () => string, string]>([
    ['none', () => first('a', { key: null }), 'COMMIT_UNSIGNED'],
    ['of a stranger', () => first('b', { key: world.key('stranger') }), 'SIGNER_UNKNOWN'],
    [
      'for another repository',
      () => first('c', { message: `x\n\n${TRAILERS.replace('shop', 'bank')}` }),
      'COMMIT_OTHER_REPOSITORY',
    ],
    [
      'for another branch',
      () => first('d', { message: `x\n\n${TRAILERS.replace('main', 'wip')}` }),
      'COMMIT_OTHER_BRANCH',
    ],
    ['for no branch', () => first('e', { message: 'x\n' }), 'COMMIT_OTHER_REPOSITORY'],
    ['for two branches', () => first('f', { message: `x\n\n${TRAILERS}Trueup-Branch: wip\n` }), 'COMMIT_OTHER_BRANCH'],
    [
      'named in the text and not in the trailers',
      () => first('g', { message: `x\n\n${TRAILERS}\nthe end\n` }),
      'COMMIT_OTHER_REPOSITORY',
    ],
  ])('%s', async (_name, commit, code) => {
    expect(await fresh(commit())).toBe(code)
  })

  it('of a key that is not valid now, whenever the commit says that it was made', async () => {
    const late = world.key('late')
    allow(signers, late, 'valid-before="20250101"')
    expect(await fresh(first('h', { key: late }))).toBe('SIGNER_EXPIRED')
    expect(await fresh(first('i', { key: late, date: '2024-06-01T00:00:00Z' }))).toBe('SIGNER_EXPIRED')
  })

  it('of a key that was revoked', async () => {
    const lost = world.key('lost-key')
    allow(signers, lost)
    const commit = first('j', { key: lost })
    const careful = await world.open({ signers: { ssh: signers, sshRevoked: `${lost}.pub` } })
    expect(await fresh(commit)).toMatchObject({ grant: { commit } })
    expect(await fresh(commit, careful)).toBe('SIGNER_REVOKED')
    expect(await fresh(first('k'), careful)).toMatchObject({ grant: {} })
  })

  it('taken from another commit', async () => {
    const raw = world.git('cat-file', 'commit', first('l'))
    const forged = raw.replace(/^tree .*/, `tree ${world.git('rev-parse', `${first('evil')}^{tree}`)}`)
    const file = join(world.directory, 'forged')
    execFileSync('sh', ['-c', 'printf "%s\\n" "$1" > "$2"', '-', forged, file])
    expect(await fresh(world.git('hash-object', '-t', 'commit', '-w', file))).toBe('SIGNATURE_INVALID')
  })

  it('by GnuPG count where the fingerprint is named', async () => {
    const home = join(world.directory, 'gpg')
    mkdirSync(home)
    chmodSync(home, 0o700)
    const gpg = (...argv: string[]) =>
      execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...argv], {
        stdio: ['ignore', 'pipe', 'pipe'],
      }).toString()
    try {
      gpg(
        '--pinentry-mode',
        'loopback',
        '--passphrase',
        '',
        '--quick-gen-key',
        'ada@example.org',
        'ed25519',
        'sign',
        '0',
      )
      const [fingerprint = ''] = /(?<=^fpr:+)[0-9A-F]{40}(?=:)/m.exec(gpg('--list-keys', '--with-colons')) ?? []
      const commit = first('m', { key: fingerprint })
      const named = await world.open({ signers: { gpgHome: home, gpgKeys: [fingerprint] } })
      const other = await world.open({ signers: { gpgHome: home, gpgKeys: ['A'.repeat(40)] } })
      expect(await fresh(commit, named)).toMatchObject({ grant: { commit } })
      expect(await fresh(commit, other)).toBe('SIGNER_UNKNOWN')
      expect(await fresh(commit)).toBe('SIGNER_UNKNOWN')
    } finally {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'])
    }
  })
})

describe('order', () => {
  it('goes forward only, and back by a newer commit', async () => {
    const one = first('one')
    const two = world.commit({ 'web/motd': 'two' }, { key: good, parents: [one] })
    const back = world.commit({ 'web/motd': 'one' }, { key: good, parents: [two] })
    const own = await world.open({ signers: { ssh: signers } })
    const apply = async (commit: string) => {
      const grant = world.grant(commit)
      const fetched = await world.fetch(own, grant)
      if (typeof fetched === 'string') return fetched
      own.applying(grant)
      own.applied(grant, { untouched: false, broken: false })
      await own.left(grant)
      return fetched.read('web/motd')
    }
    expect(await apply(one)).toBe('one')
    expect(await apply(two)).toBe('two')
    expect(await apply(one)).toBe('COMMIT_OLDER')
    // What the server calls the stack is not what says that it is another one.
    expect(await world.fetch(own, world.grant(one, { stack: { ...STACK, id: 'stk_2' } }))).toBe('COMMIT_OLDER')
    expect(await apply(first('unrelated'))).toBe('COMMIT_OLDER')
    expect(await apply(two)).toBe('two')
    expect(await apply(back)).toBe('one')
  })

  it('begins where the configuration says', async () => {
    const since = first('since')
    const from = await world.open({ signers: { ssh: signers }, since })
    expect(await fetch(first('before'), from)).toBe('COMMIT_OLDER')
    const later = world.commit({ 'web/motd': 'later' }, { key: good, parents: [since] })
    expect(await fetch(later, from)).toMatchObject({ grant: { commit: later } })
  })
})

describe('packs', () => {
  it('that were changed on the way', async () => {
    const commit = first('packed')
    const oids = world.git('rev-list', '--objects', `${commit}^{tree}`).split('\n')
    const pack = world.pack([commit, ...oids])
    pack[pack.length - 40]! ^= 1
    world.packs.set(commit, pack)
    expect(await fresh(commit)).toBe('PACK_INVALID')
  })

  it('that hold another file in the place of the signed one', async () => {
    const commit = first('right')
    const file = join(world.directory, 'swapped')
    copyFileSync(join(world.directory, 'allowed'), file)
    const swapped = world.git('hash-object', '-w', file)
    const right = world.git('rev-parse', `${commit}:web/motd`)
    const oids = world.git('rev-list', '--objects', `${commit}^{tree}`).split('\n')
    world.packs.set(commit, world.pack([commit, swapped, ...oids.filter((line) => !line.startsWith(right))]))
    expect(await fresh(commit)).toBe('PACK_INVALID')
  })

  it('of another commit than the one that is asked for', async () => {
    const commit = first('asked')
    const other = first('given')
    world.packs.set(commit, world.pack([other]))
    expect(await fresh(commit)).toBe('PACK_INVALID')
  })
})

describe('what no signature covers', () => {
  it.each<[string, object, object, string]>([
    ['a destruction', { destroy: true }, { accept: ['destroys'] }, 'AGENT_REFUSES'],
    ['a request', { request: { targets: ['a'], replaces: [] } }, { accept: ['requests'] }, 'AGENT_REFUSES'],
  ])('%s is refused unless it is accepted', async (_name, more, accepted, code) => {
    const commit = first('destroyed')
    const accepting = await world.open({ signers: { ssh: signers }, ...accepted })
    expect(await world.fetch(source, world.grant(commit, more))).toBe(code)
    expect(await world.fetch(accepting, world.grant(commit, more))).toMatchObject({ grant: { commit } })
  })

  it('other repositories, environments and previews are refused', async () => {
    const commit = first('elsewhere')
    const staging = await world.open({ signers: { ssh: signers }, environments: ['staging'] })
    expect(await fresh(commit, staging)).toBe('AGENT_REFUSES')
    const bank = { ...STACK, repository: 'bank' }
    expect(await world.fetch(source, world.grant(commit, { stack: bank }))).toBe('AGENT_REFUSES')
    expect(await world.fetch(source, world.grant(commit, { kind: 'preview' }))).toBe('AGENT_REFUSES')
    // A stack that the signed configuration does not have, or has elsewhere.
    expect(await world.fetch(source, world.grant(commit, { stack: { ...STACK, id: 'stk_a', name: 'webb' } }))).toBe(
      'AGENT_REFUSES',
    )
    expect(await world.fetch(source, world.grant(commit, { stack: { ...STACK, id: 'stk_b', path: 'lost' } }))).toBe(
      'AGENT_REFUSES',
    )
  })

  it('variables of the server reach no tool unless they are named', async () => {
    const naming = await world.open({ signers: { ssh: signers }, serverVariables: ['A'] })
    const offered = { variables: { A: { value: '1', secret: false }, LD_PRELOAD: { value: '/x', secret: false } } }
    expect(source.variables({ stack: STACK }, offered).variables).toEqual({})
    expect(naming.variables({ stack: STACK }, offered).variables).toEqual({ A: { value: '1', secret: false } })
  })

  it('variables of the signed configuration reach the tools, whatever the server says of them', async () => {
    const naming = await world.open({ signers: { ssh: signers }, serverVariables: ['NAMED'] })
    const variables = '{ REGION: eu, NAMED: git }'
    const config = `${CONFIG}  - { path: own, driver: files, with: { target: /srv/own }, variables: ${variables} }\n`
    const commit = first('with variables', {}, { 'trueup.yaml': config, 'own/x': 'x' })
    const offered = { variables: { REGION: { value: 'us', secret: false }, NAMED: { value: 'new', secret: true } } }
    const stack = { ...STACK, id: 'stk_own', name: 'own', path: 'own' }
    const fetched = await world.fetch(naming, world.grant(commit, { stack, ...offered }))
    if (typeof fetched === 'string') throw new Error(fetched)
    const given = { REGION: { value: 'eu', secret: false }, NAMED: { value: 'new', secret: true } }
    expect(naming.variables(fetched.grant, offered).variables).toEqual(given)
    expect(naming.variables(fetched.grant, { variables: {} }).variables).toEqual({
      REGION: { value: 'eu', secret: false },
      NAMED: { value: 'git', secret: false },
    })
  })
})

it('tokens of the server are taken under the names that the signed configuration gives them', async () => {
  const config = `${CONFIG}  - { path: own, driver: files, with: { target: /srv/own }, identity: { AWS: { audience: a } } }\n`
  const commit = first('with an identity', {}, { 'trueup.yaml': config, 'own/x': 'x' })
  const identityTokens = { AWS: 'token', LD_PRELOAD: '/x' }
  const stack = { ...STACK, id: 'stk_own', name: 'own', path: 'own' }
  const fetched = await world.fetch(source, world.grant(commit, { stack, identityTokens }))
  if (typeof fetched === 'string') throw new Error(fetched)
  const offered = { variables: {}, identityTokens }
  expect(source.variables(fetched.grant, offered).identityTokens).toEqual({ AWS: 'token' })
  expect(source.variables({ stack: STACK }, offered).identityTokens).toEqual({})
})

describe('authors', () => {
  it('have signed the merged branch, which holds what is applied', async () => {
    const ada = world.key('ada')
    const people = join(world.directory, 'people')
    allow(people, ada)
    const twofold = await world.open({ signers: { ssh: signers }, authors: { ssh: people }, previews: 'signed' })
    const base = first('base')
    const merge = (text: string, head: string) =>
      world.commit({ 'web/motd': text }, { key: good, parents: [base, head] })
    const signed = world.commit({ 'web/motd': 'ada' }, { key: ada, parents: [base] })
    const unsigned = world.commit({ 'web/motd': 'nobody' }, { parents: [base] })

    expect(await fresh(merge('ada', signed), twofold)).toMatchObject({ grant: {} })
    // The forge alone, with another content or another head.
    expect(await fresh(merge('forge', signed), twofold)).toBe('CONTENT_UNSIGNED')
    expect(await fresh(merge('nobody', unsigned), twofold)).toBe('COMMIT_UNSIGNED')
    expect(await fresh(base, twofold)).toBe('SIGNER_UNKNOWN')

    const preview = (text: string, head: string) =>
      world.fetch(
        twofold,
        world.grant(world.commit({ 'web/motd': text }, { parents: [base, head] }), { kind: 'preview' }),
      )
    expect(await preview('ada', signed)).toMatchObject({ grant: { verify: [{ run: 'true' }] } })
    expect(await preview('other', signed)).toBe('CONTENT_UNSIGNED')
    expect(await preview('nobody', unsigned)).toBe('COMMIT_UNSIGNED')
  })
})

it('leaves no file of what it refused', () => {
  expect(existsSync('/elsewhere')).toBe(false)
})
