import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { buildRoutelessApp } from '../testing/routeless.ts'
import { startTestServer } from '../testing/app.ts'

describe('a route', () => {
  const register = (config: object, url = '/x') => {
    const app = buildRoutelessApp(fastify())
    app.get(url, { config }, async () => 'x')
  }

  it('is refused without an action', () => {
    expect(() => register({})).toThrow('GET /x declares no action')
  })

  it('is refused with an action that the table does not have', () => {
    expect(() => register({ action: 'mr.destroy' })).toThrow('unknown action mr.destroy')
  })

  it('is refused when its action concerns a repository that it does not name', () => {
    expect(() => register({ action: 'mr.merge' })).toThrow('names no repository')
    expect(() => register({ action: 'mr.merge' }, '/r/:repository/x')).not.toThrow()
  })

  it('answers nobody without a token unless it is public', async () => {
    const server = await startTestServer()
    try {
      // The document lists every route; a public one declares an empty security.
      const { paths } = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
        paths: Record<string, Record<string, { security?: unknown[] }>>
      }
      const open: string[] = []
      for (const [path, operations] of Object.entries(paths)) {
        for (const [method, { security }] of Object.entries(operations)) {
          const url = server.url + path.replaceAll(/\{\w+\}/g, 'x1')
          const { status } = await fetch(url, {
            method: method.toUpperCase(),
            redirect: 'manual',
            ...(method !== 'get' && { headers: { 'content-type': 'application/json' }, body: '{}' }),
          })
          if (status !== 401) open.push(`${method} ${path}`)
          else expect(security, `${method} ${path} says it is public`).not.toEqual([])
        }
      }
      expect(open.sort()).toEqual([
        'get /.well-known/jwks.json',
        'get /.well-known/openid-configuration',
        'get /api/v1/login/providers',
        'get /api/v1/login/{provider}/callback',
        'get /api/v1/login/{provider}/start',
        // By the server's own signature in the address.
        'get /api/v1/packs/{address}',
        'get /api/v1/version',
        'get /healthz',
        'get /metrics',
        'get /readyz',
        'post /api/v1/login/device',
        'post /api/v1/login/{provider}/device',
        'post /api/v1/session',
        'post /api/v1/session/browser',
        'post /api/v1/session/redeem',
        'post /api/v1/worker/enrol',
      ])
    } finally {
      await server.close()
    }
  })
})
