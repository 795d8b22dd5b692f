import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPeer, type WorkerPeer } from '../../../test/worker-peer/peer.ts'
import { SELF } from '../../domain/wire/versions.ts'
import { silentLogger } from '../../lib/log.ts'
import { loadIdentity } from '../identity.ts'
import type { ServerEvent } from '../protocol.ts'
import { openLink, type Link, type LinkOptions } from './connect.ts'
import { enrol, httpClient } from './http.ts'

let peer: WorkerPeer
let dir: string
let link: Link | undefined
beforeEach(async () => {
  peer = await startPeer()
  dir = mkdtempSync(join(tmpdir(), 'trueup-link-'))
})
afterEach(async () => {
  await link?.close()
  await peer.close()
  rmSync(dir, { recursive: true, force: true })
})

async function open(more: Partial<LinkOptions> = {}, server = peer.url) {
  const identity = await loadIdentity(join(dir, 'identity.json'))
  const request = { token: peer.enrolment, name: 'n', kind: 'runner' as const, publicKey: identity.publicKey }
  await identity.enrolled(await enrol(peer.url, request))
  const events: ServerEvent[] = []
  let welcomes = 0
  link = openLink({
    http: httpClient(server, identity),
    identity,
    transport: 'auto',
    log: silentLogger,
    hello: () => ({ ...SELF('0'), hostname: 'h', pools: [], slots: 1, holding: [] }),
    onWelcome: () => welcomes++,
    onEvent: (event) => events.push(event),
    enrolAgain: async () => false,
    ...more,
  })
  return { link, events, welcomes: () => welcomes }
}
const via = () => peer.calls.map((call) => call.via)

test('events arrive, also right after the welcome', async () => {
  const its = await open()
  await vi.waitFor(() => expect(its.welcomes()).toBe(1), 180_000)
  expect(its.link.awayMs()).toBe(0)
  peer.send({ event: 'work' })
  await vi.waitFor(() => expect(its.events).toEqual([{ event: 'work' }]), 180_000)
})

test('a delivery waits through an outage; the caller can give it up', async () => {
  const its = await open()
  await vi.waitFor(() => expect(its.welcomes()).toBe(1), 180_000)
  peer.faults.refuseSocket = 502
  peer.faults.silent = true
  peer.cut()
  await vi.waitFor(
    () => expect(its.link.call('lease', { request: 'a' })).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' }),
    180_000,
  )
  const given = new AbortController()
  const abandoned = its.link.deliver('lease', { request: 'b' }, given.signal)
  const kept = its.link.deliver('lease', { request: 'c' })
  given.abort(new Error('no longer wanted'))
  await expect(abandoned).rejects.toThrow('no longer wanted')
  delete peer.faults.refuseSocket
  delete peer.faults.silent
  expect(await kept).toEqual({ grant: null })
})

test('closed while a connection is being opened it ends', async () => {
  const its = await open()
  expect(its.link.awayMs()).toBeGreaterThan(0)
  await its.link.close()
  expect(its.welcomes()).toBeLessThanOrEqual(1)
})

test('a refusal of the server is an answer and not repeated', async () => {
  const its = await open()
  const call = its.link.deliver('state', { runId: 'none', fence: 1, state: 'planning' })
  await expect(call).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(peer.calls.filter(({ method }) => method === 'state')).toHaveLength(1)
})

test('while long-polling, WebSocket is tried again and taken when it works', async () => {
  peer.faults.refuseSocket = 426
  const its = await open({ retryWebSocketMs: 100 })
  expect(await its.link.deliver('lease', { request: 'a' })).toEqual({ grant: null })
  expect(via()).toEqual(['long-poll', 'long-poll'])
  delete peer.faults.refuseSocket
  await vi.waitFor(() => expect(via()).toContain('websocket'), 180_000)
  await its.link.deliver('lease', { request: 'b' })
  expect(via().at(-1)).toBe('websocket')
})

test('a server that answers something else is named as such', async () => {
  const other: Server = createServer((_request, response) => response.writeHead(502).end('<h1>proxy</h1>'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const http = httpClient(url, { token: async () => 't', now: Date.now } as never)
  await expect(http.request({ method: 'GET', path: '/x', timeoutMs: 1_000 })).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: expect.stringContaining('HTTP 502'),
  })
  other.close()
})

test('what is not of the protocol does not leave', async () => {
  const its = await open()
  await vi.waitFor(() => expect(its.welcomes()).toBe(1), 180_000)
  const wrong = its.link.call('log', { runId: 'r', fence: 1, offset: Number.NaN, text: 'x' })
  await expect(wrong).rejects.toMatchObject({ code: 'TOOL_OUTPUT' })
})
