import { expect, it } from 'vitest'
import { useServer } from '../testing/use-server.ts'
import { newKey } from '../testing/worker-keys.ts'

const { server, admin } = useServer()

it('tells autoscalers of a pool as soon as somebody is enrolled for it, by API and metrics', async () => {
  const metrics = async () => await (await fetch(`${server.url}/metrics`)).text()
  expect(await metrics()).not.toContain('pool="edge"')
  const { body } = await admin.request('POST', '/api/v1/workers/enrolments', { pools: ['edge'] })
  const wish = { token: body.token, name: 'edge-1', kind: 'runner', publicKey: newKey().jwk }
  await admin.request('POST', '/api/v1/worker/enrol', wish)
  const queue = { pool: 'edge', waiting: 0, oldestAt: null, running: 0, workers: 0, enrolled: true }
  expect((await admin.request('GET', '/api/v1/workers/queues')).body).toEqual({ items: [queue] })
  const text = await metrics()
  for (const name of ['waiting', 'oldest_seconds', 'running', 'workers'])
    expect(text).toContain(`trueup_queue_${name}{pool="edge"} 0`)
})
