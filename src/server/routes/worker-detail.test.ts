import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ask } from '../testing/app.ts'
import { startLiveServer, until } from '../testing/live.ts'

interface Seen {
  id: string
  name: string
  runs: { stack: string; repository: string; kind: string; state: string }[]
  otherRuns: number
}

it('shows a worker by id and name, what it does, and of others work only how much', async () => {
  let gate = ''
  const live = await startLiveServer((directory) => {
    gate = join(directory, 'gate')
    const config = {
      version: 1,
      environments: { production: { tier: 'development' } },
      stacks: [
        {
          path: 'web',
          driver: 'command',
          environments: ['production'],
          // It plans until the test has seen it.
          with: { plan: `while [ ! -e ${gate} ]; do sleep 0.1; done; exit 1`, apply: 'true' },
        },
      ],
    }
    return { 'trueup.yaml': stringify(config), 'web/file': 'content\n' }
  })
  try {
    const shown = async () => (await live.request('GET', '/api/v1/workers/builtin')).body as Seen
    const busy = await until(shown, (seen) => seen.runs?.[0]?.state === 'planning', 180_000)
    const run = { repository: 'shop', stack: 'production/web', kind: 'deploy', state: 'planning' }
    expect(busy).toMatchObject({ name: 'builtin', runs: [run], otherRuns: 0 })
    expect(await shown()).toMatchObject({ tools: expect.any(Object), clockSkewMs: expect.any(Number), draining: false })
    const listed = (await live.request('GET', '/api/v1/workers')).body as { items: Seen[] }
    expect(listed.items).toMatchObject([{ name: 'builtin', runs: [run], otherRuns: 0 }])
    const log = (await live.request('GET', '/api/v1/workers/builtin/logs?lines=50')).body
    // This runner logs nothing; that it answers is what a server of this kind can show.
    expect(log).toEqual({ worker: 'builtin', entries: [] })
    await live.request('POST', '/api/v1/users', { name: 'bob', email: 'bob@example.org' })
    const { body } = await live.request('POST', '/api/v1/tokens', { user: 'bob', name: 'bobs', scopes: ['read'] })
    const { token } = body as { token: string }
    const seen = await ask(live.url, token, 'GET', `/api/v1/workers/${busy.id}`)
    expect(seen.body).toMatchObject({ id: busy.id, runs: [], otherRuns: 1 })
    expect((await ask(live.url, token, 'GET', '/api/v1/workers/builtin/logs')).body).toMatchObject({
      code: 'FORBIDDEN',
    })
    expect((await ask(live.url, token, 'GET', '/api/v1/workers/nobody')).body).toMatchObject({ code: 'NOT_FOUND' })
  } finally {
    await writeFile(gate, '')
    await live.close()
  }
})
