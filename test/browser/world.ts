import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startLiveServer, type LiveServer } from '../../src/server/testing/live.ts'

/** A live server whose `web` is files of a directory, with ada and bob, who review each other. */
export interface World extends LiveServer {
  /** Where the stack `production/web` writes. */
  target: string
  linkFor(user: string): Promise<string>
  tamper(text: string): Promise<void>
}

/** The rules, with stacks as they stand below `stacks:`. */
export const rulesWith = (stacks: string) => `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: observe, interval: 1h }
stacks:${stacks}
`

export async function startWorld(): Promise<World> {
  const live = await startLiveServer(() => ({ 'trueup.yaml': rulesWith(' []') }))
  for (const name of ['ada', 'bob', 'eve']) {
    await live.request('POST', '/api/v1/users', { name, email: `${name}@example.org` })
    const role = name === 'eve' ? 'reader' : 'admin'
    await live.request('PUT', `/api/v1/repositories/shop/members/${name}`, { role })
  }
  const target = join(live.directory, 'srv')
  return {
    ...live,
    target,
    linkFor: async (user) => (await live.request('POST', '/api/v1/session/links', { user })).body.url,
    tamper: (text) => writeFile(join(target, 'index.html'), text),
  }
}

/** The rules with the stack `web` in them. */
export const withWeb = (target: string): string =>
  rulesWith(`
  - path: web
    driver: files
    with: { target: ${target}, prune: listed }`)
