import { describe, expect, it } from 'vitest'
import type { RunState } from '../domain/runs/run.ts'
import { atStandstill } from './standstill.ts'

const runs = (states: { [id: string]: RunState }) => Object.entries(states).map(([id, state]) => ({ id, state }))
const needs = (dependsOn: { [id: string]: string[] }) => (id: string) => Promise.resolve(dependsOn[id] ?? [])

describe('runs stand still', () => {
  const still = (states: { [id: string]: RunState }, dependsOn = {}, elsewhere: string[] = []) =>
    atStandstill(runs(states), elsewhere, needs(dependsOn))

  it('when all are over, or wait for a person', async () => {
    expect(await still({ a: 'succeeded', b: 'failed' })).toBe(true)
    expect(await still({ a: 'awaiting_approval', b: 'blocked', c: 'succeeded' })).toBe(true)
  })

  it('not while a worker has one or will take one', async () => {
    expect(await still({ a: 'awaiting_approval', b: 'applying' })).toBe(false)
    expect(await still({ a: 'awaiting_approval', b: 'queued' })).toBe(false)
    expect(await still({ a: 'queued' })).toBe(false)
    expect(await still({ a: 'awaiting_approval', b: 'queued', c: 'queued' }, { b: ['a'] })).toBe(false)
  })

  it('when the queued ones wait for what waits for a person, however far', async () => {
    expect(await still({ a: 'awaiting_approval', c: 'queued', b: 'queued' }, { b: ['a'], c: ['b'] })).toBe(true)
    // Upstream is deployed by another merge request.
    expect(await still({ a: 'queued' }, { a: ['theirs'] }, ['theirs'])).toBe(true)
  })
})
