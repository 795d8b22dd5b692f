import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProcess } from '../lib/process/run.ts'
import { openShell, type Shell } from './testing/process.ts'

let shell: Shell
let url: string

beforeAll(async () => {
  shell = await openShell()
  ;({ url } = await shell.up())
})
afterAll(() => shell.close())

describe('against a server on this machine', () => {
  it('finds it and its token without being told', async () => {
    const { code, json } = await shell.run(['whoami', '-o', 'json'])
    expect(code).toBe(0)
    expect(json).toMatchObject({ url, source: 'data directory', user: { name: 'admin' } })
  })

  it('prints results on stdout and nothing else, as JSON or as text', async () => {
    const made = await shell.run(['repo', 'create', 'shop', '--output', 'json'])
    expect(made.json).toMatchObject({ name: 'shop', gitUrl: `${url}/git/shop.git` })
    const shown = await shell.run(['repo', 'show', 'shop'])
    expect(shown.out).toContain(`${url}/git/shop.git`)
    expect(shown.err).toContain('git push origin')
    const listed = await shell.run(['repo', 'list'])
    expect(listed.out.split('\n')[0]).toBe('NAME  BRANCH  YOUR ROLE  GIT')
    expect(listed.out).not.toContain('\u001b[')
    const columns = await shell.run(['repo', 'list', '--columns', 'your-role,name'])
    expect(columns.out.split('\n')[0]).toBe('YOUR ROLE  NAME')
    expect(await shell.run(['repo', 'list', '--columns', 'role'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('There are name, branch, your-role, git.'),
    })
    expect(await shell.run(['status', '--watch'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('watching `trueup status`: that needs a terminal'),
    })
  })

  it('lets git take the token from it, for this server only', async () => {
    const ask = (host: string, env = {}) =>
      shell.run(['git-credential', 'get'], { input: `protocol=http\nhost=${host}\n\n`, env })
    const host = new URL(url).host
    expect((await ask(host)).out).toMatch(/^username=trueup\npassword=tut_[\w-]+\n$/)
    expect((await ask('evil.example')).out).toBe('')
    expect((await ask('evil.example', { TRUEUP_TOKEN: 'tut_x', TRUEUP_URL: url })).out).toBe('')
    expect((await ask('evil.example', { TRUEUP_TOKEN: 'tut_x' })).out).toBe('')
    expect((await ask(host, { TRUEUP_TOKEN: 'tut_x' })).out).toContain('password=tut_x\n')
    expect(await shell.run(['git-credential', 'get'], { input: 'protocol=http\n\n' })).toMatchObject({
      code: 0,
      out: '',
    })
    const work = join(shell.home, 'work')
    await mkdir(work)
    const helper = `!${process.execPath} ${join(import.meta.dirname, 'main.ts')} git-credential`
    const git = (...args: string[]) =>
      runProcess({
        argv: ['git', '-c', `credential.${url}.helper=${helper}`, ...args],
        cwd: work,
        env: shell.env,
        timeoutMs: 180_000,
      })
    await git('init', '-q', '-b', 'main')
    await git('commit', '-q', '--allow-empty', '-m', 'one')
    const pushed = await git('push', `${url}/git/shop.git`, 'main')
    expect(pushed.stderr).toContain('[new branch]')
  })

  it('says what one may do', async () => {
    expect((await shell.run(['whoami', '--can', 'mr.merge', '--repo', 'shop'])).out).toMatch(/^yes \(needs maintainer/)
    const { code, json } = await shell.run([
      'whoami',
      '--can',
      'mr.merge',
      '--repo',
      'shop',
      '--env',
      'none',
      '-o',
      'json',
    ])
    expect({ code, json }).toMatchObject({ code: 1, json: { allowed: false, code: 'NOT_FOUND', environment: 'none' } })
    expect((await shell.run(['whoami', '--can', 'user.manage'])).code).toBe(0)
    expect(await shell.run(['whoami', '--can', 'mr.merg'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('mr.merge'),
    })
  })

  it('explains who signed a commit', async () => {
    await shell.run(['repo', 'create', 'signed'])
    const work = join(shell.home, 'signed')
    await mkdir(work)
    const environments = { production: { signatures: { require: ['commits'] } }, staging: {} }
    await writeFile(join(work, 'trueup.yaml'), JSON.stringify({ version: 1, environments, stacks: [] }))
    const helper = `!${process.execPath} ${join(import.meta.dirname, 'main.ts')} git-credential`
    const git = (...args: string[]) =>
      runProcess({ argv: ['git', '-c', `credential.${url}.helper=${helper}`, ...args], cwd: work, env: shell.env })
    await git('init', '-q', '-b', 'main')
    await git('add', '.')
    await git('commit', '-q', '-m', 'one')
    await git('push', `${url}/git/signed.git`, 'main')
    const verified = await shell.run(['verify', 'main', '--repo', 'signed', '-o', 'json'])
    expect(verified.json).toMatchObject({
      signature: 'none',
      environments: [{ name: 'production', asked: true, accepted: false, code: 'COMMIT_UNSIGNED' }],
    })
    const { code, out } = await shell.run(['verify', 'main', '--repo', 'signed'])
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringContaining('bears no signature [COMMIT_UNSIGNED]'),
    })
    expect(await shell.run(['verify', 'nothing', '--repo', 'signed'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such commit'),
    })
  })

  it('lists and ends logins', async () => {
    await shell.run(['user', 'add', 'kim', '--email', 'kim@example.org', '--password'], { input: 'p'.repeat(20) })
    const login = { name: 'kim', password: 'p'.repeat(20), device: 'laptop' }
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(login)
    expect((await fetch(`${url}/api/v1/session`, { method: 'POST', headers, body })).status).toBe(201)
    const listed = await shell.run(['session', 'list', '--user', 'kim', '-o', 'json'])
    expect(listed.json).toMatchObject([{ kind: 'cli', device: 'laptop', address: '127.0.0.1', user: 'kim' }])
    expect(await shell.run(['session', 'revoke', '--user', 'kim'])).toMatchObject({ code: 1 })
    expect((await shell.run(['session', 'revoke', '--others', '--user', 'kim'])).out).toContain('Ended token_')
    expect((await shell.run(['session', 'list', '--user', 'kim', '-o', 'json'])).json).toEqual([])
  })

  it('logs in with a second factor, whose code is the second line', async () => {
    const password = 'q'.repeat(20)
    await shell.run(['user', 'add', 'lou', '--email', 'lou@example.org', '--password'], { input: password })
    const send = async (method: string, path: string, token: string | null, body: object) => {
      const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
      return (await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) })).json()
    }
    const { token } = await send('POST', '/api/v1/session', null, { name: 'lou', password })
    const { secret } = await send('POST', '/api/v1/session/second-factor', token, {})
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
    const { recoveryCodes } = await send('POST', '/api/v1/session/second-factor/confirm', token, { code })
    const env = { XDG_CONFIG_HOME: join(shell.home, 'lou') }
    const login = (input: string) => shell.run(['login', url, '--name', 'lou'], { input, env })
    expect(await login(password)).toMatchObject({ code: 1, err: expect.stringContaining('SECOND_FACTOR_REQUIRED') })
    expect(await login(`${password}\n${recoveryCodes[0]}\n`)).toMatchObject({ code: 0 })
    const shown = await shell.run(['second-factor', 'show', '-o', 'json'], { env })
    expect(shown.json).toMatchObject({ user: 'lou', recoveryCodesLeft: 9, rule: 'off', owed: false })
    expect((await shell.run(['second-factor', 'remove', '--user', 'lou'])).code).toBe(0)
    expect((await shell.run(['second-factor', 'rule', '--for', 'off', '-o', 'json'])).json).toEqual({ rule: 'off' })
  })

  it('manages people, teams, members and tokens', async () => {
    await shell.run(['user', 'add', 'ada', '--email', 'ada@example.org'])
    await shell.run(['team', 'create', 'platform', 'ada'])
    await shell.run(['member', 'set', 'shop', 'ada', 'maintainer'])
    const [teams, members] = await Promise.all([
      shell.run(['team', 'list', '-o', 'json']),
      shell.run(['member', 'list', 'shop', '-o', 'json']),
    ])
    expect(teams.json).toMatchObject([{ name: 'platform', members: ['ada'] }])
    expect(members.json).toContainEqual(expect.objectContaining({ user: 'ada', role: 'maintainer' }))
    const made = await shell.run([
      'token',
      'create',
      '--name',
      'ci',
      '--user',
      'ada',
      '--scope',
      'read',
      '--expires',
      '1d',
    ])
    const token = made.out.trim()
    expect(token).toMatch(/^tut_/)
    const hers = await shell.run(['user', 'add', 'eve', '--email', 'e@x.org'], {
      env: { TRUEUP_URL: url, TRUEUP_TOKEN: token },
    })
    expect([hers.code, hers.err]).toEqual([1, expect.stringContaining('FORBIDDEN')])
  })

  it('logs in with a password, keeps the token to itself, and logs out', async () => {
    const password = 'a password for testing'
    await shell.run(['user', 'add', 'bob', '--email', 'bob@example.org', '--password'], { input: `${password}\n` })
    const wrong = await shell.run(['login', url, '--name', 'bob'], { input: 'wrong' })
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('UNAUTHENTICATED')])
    expect((await shell.run(['login', url, '--name', 'bob'], { input: password })).code).toBe(0)
    const file = join(shell.home, '.config', 'trueup', 'config.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await shell.run(['whoami', '-o', 'json'])).json.user.name).toBe('bob')
    const { token } = JSON.parse(await readFile(file, 'utf8'))
    expect((await shell.run(['logout'])).code).toBe(0)
    const after = await shell.run(['whoami'], { env: { TRUEUP_URL: url, TRUEUP_TOKEN: token } })
    expect(after.err).toContain('revoked')
  })

  it("sets one's own password, and says which lines it needs", async () => {
    const set = (input: string) => shell.run(['password'], { input })
    expect((await set('only one line\n')).err).toContain('two lines are needed')
    expect((await set('\nfirst password of mine\n')).out).toContain('Your password is set')
    expect((await set('wrong one\nsecond password of mine\n')).err).toContain('the current password is wrong')
    expect((await set('first password of mine\nsecond password of mine\n')).code).toBe(0)
  })

  it('never sends a stored token to another server', async () => {
    await shell.run(['login', url, '--token-stdin'], {
      input: await readFile(join(shell.home, 'data', 'admin.token'), 'utf8'),
    })
    const seen: (string | undefined)[] = []
    const other: Server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { code } = await shell.run(['whoami'], { env: { TRUEUP_URL: `http://127.0.0.1:${port}` } })
    expect([code, seen]).toEqual([1, [undefined]])
    other.close()
    await shell.run(['logout'])
    // It was the administrator's only one, and logging out has revoked it.
    expect((await shell.run(['whoami'])).code).toBe(1)
  })
})

describe('when it cannot', () => {
  it('says that the token is wrong, and where it came from', async () => {
    const { code, out, err } = await shell.run(['repo', 'list'], {
      env: { TRUEUP_URL: url, TRUEUP_TOKEN: 'tut_wrong' },
    })
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('UNAUTHENTICATED')
    expect(err).toContain('TRUEUP_TOKEN')
  })

  it('says that nothing listens, as JSON too', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as { port: number }
    gone.close()
    await once(gone, 'close')
    const env = { TRUEUP_URL: `http://127.0.0.1:${port}` }
    const { code, err } = await shell.run(['repo', 'list'], { env })
    expect([code, err]).toEqual([1, expect.stringContaining(`connecting to ${env.TRUEUP_URL}: nothing listens there`)])
    const { err: json, out } = await shell.run(['repo', 'list', '-o', 'json'], { env })
    expect([JSON.parse(json).code, out]).toEqual(['SERVER_UNREACHABLE', ''])
  })

  it('says that what answers is no Trueup', async () => {
    const other = createServer((_request, response) => response.writeHead(502).end('<html>Bad gateway')).listen(
      0,
      '127.0.0.1',
    )
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { err } = await shell.run(['repo', 'list'], { env: { TRUEUP_URL: `http://127.0.0.1:${port}` } })
    expect(err).toContain('answered 502 and not as a Trueup server does')
    other.close()
  })

  it('says that the port or the data directory is taken', async () => {
    const taken = await shell.run(['up', '--port', new URL(url).port, '--data', join(shell.home, 'other')])
    expect([taken.code, taken.err]).toEqual([1, expect.stringContaining('PORT_TAKEN')])
    const locked = await shell.run(['up', '--port', '0'])
    expect([locked.code, locked.err]).toEqual([1, expect.stringContaining('DATA_LOCKED')])
  })

  it('backs up and restores, and stops in good order', async () => {
    const copy = join(shell.home, 'copy')
    expect((await shell.run(['backup', copy])).code).toBe(0)
    const again = await shell.run(['backup', copy])
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('CONFLICT')])
    const restored = join(shell.home, 'restored')
    expect((await shell.run(['restore', copy, '--data', restored])).code).toBe(0)
    const second = await shell.up(['--data', restored])
    second.process.kill('SIGTERM')
    const [code] = await once(second.process, 'exit')
    expect([code, second.said()]).toEqual([0, expect.stringContaining('Stopped.')])
    await expect(stat(join(restored, 'server.json'))).rejects.toThrow()
    await writeFile(join(copy, 'trueup.db'), 'broken')
    const damaged = await shell.run(['restore', copy, '--data', join(shell.home, 'third')])
    expect([damaged.code, damaged.err]).toEqual([1, expect.stringContaining('DATA_CORRUPT')])
  })
})
