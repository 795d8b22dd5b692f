import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { surroundingsOf } from './surroundings.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-surroundings-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

it('reads what GitLab CI says, also of a pipeline of merged results', () => {
  const env = {
    GITLAB_CI: 'true',
    CI_SERVER_URL: 'https://gitlab.example.test:8443/',
    CI_PROJECT_PATH: 'group/sub/shop',
    CI_COMMIT_SHA: 'merge',
    TRUEUP_CI_TOKEN: 't',
  }
  const address = 'https://gitlab.example.test:8443'
  expect(surroundingsOf(env)).toEqual({
    system: 'gitlab',
    repository: 'gitlab.example.test:8443/group/sub/shop',
    change: null,
    head: 'merge',
    target: null,
    place: { forge: 'gitlab', address, path: 'group/sub/shop', token: 't' },
  })
  const ofMr = { CI_MERGE_REQUEST_IID: '7', CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main' }
  const source = { CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: 'head' }
  expect(surroundingsOf({ ...env, ...ofMr, ...source })).toMatchObject({ change: 7, target: 'main', head: 'head' })
  // Where the source has no such variable, it is set and empty.
  expect(surroundingsOf({ ...env, ...ofMr, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: '' })).toMatchObject({ head: 'merge' })
})

it('reads what Actions say, of GitHub and of Gitea', () => {
  const event = join(directory, 'event.json')
  writeFileSync(
    event,
    JSON.stringify({ pull_request: { number: 3, head: { sha: 'head' }, base: { ref: 'main' } }, other: 1 }),
  )
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'owner/shop',
    GITHUB_SHA: 'made-by-github',
    GITHUB_TOKEN: 'ghs',
    GITHUB_EVENT_PATH: event,
  }
  expect(surroundingsOf(env)).toEqual({
    system: 'github',
    repository: 'github.com/owner/shop',
    change: 3,
    head: 'head',
    target: 'main',
    place: { forge: 'github', address: 'https://github.com', path: 'owner/shop', token: 'ghs' },
  })
  writeFileSync(event, '{"ref":"refs/heads/main"}')
  expect(surroundingsOf(env)).toMatchObject({ change: null, head: 'made-by-github', target: null })
  const gitea = { ...env, GITEA_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://git.example.test' }
  expect(surroundingsOf(gitea)).toMatchObject({
    system: 'gitea',
    place: { forge: 'gitea', address: 'https://git.example.test' },
  })
})

it('takes from options what nobody else says', () => {
  expect(surroundingsOf({})).toMatchObject({ system: 'shell', repository: '', place: null, change: null })
  const told = { forge: 'gitea', forgeUrl: 'https://git.example.test/owner/shop.git/', change: 4 } as const
  expect(surroundingsOf({ TRUEUP_CI_TOKEN: 't' }, told)).toMatchObject({
    repository: 'git.example.test/owner/shop',
    change: 4,
    place: { forge: 'gitea', address: 'https://git.example.test', path: 'owner/shop', token: 't' },
  })
  expect(() => surroundingsOf({}, { forge: 'gitea' })).toThrow(/both are needed/)
  expect(() => surroundingsOf({}, { forge: 'gitea', forgeUrl: 'https://git.example.test' })).toThrow(/both are needed/)
})
