import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyIgnoreToChanges } from '../../src/domain/plans/ignore.ts'
import type { ApplyResult, DriverPlan, ResourceChange } from '../../src/domain/plans/plan.ts'
import { driverNamed } from '../../src/drivers/registry.ts'
import type { TestContext } from '../../src/drivers/testing/context.ts'
import { TrueupError } from '../../src/lib/errors/error.ts'
import { processesNaming } from './processes.ts'
import { PROPERTIES, type PropertyName } from './properties.ts'
import type { ContextOptions, Subject, World } from './subject.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** A row of the conformance table. */
    conformance?: { driver: string; property: PropertyName; against: string; exempt: Subject['exempt'] }
  }
}

/** What an apply may take to end after a cancel: the tool's grace, and its own clearing up. */
const CANCEL_MS = 30_000

/** Registers one test for each property that the subject has. */
export function conformance(subject: Subject): void {
  const { driver: name, against, missing, exempt } = subject
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes(subject.needs)
  const run = missing === null || forbidden ? describe : describe.skip
  const title = missing === null ? against : `skipped: ${missing}`
  run(`conformance of ${name} (${title})`, () => {
    const driver = driverNamed(name)
    let world: World
    let contexts: TestContext<unknown>[] = []

    beforeEach(async () => {
      if (missing !== null) throw new Error(missing)
      world = await subject.open()
      contexts = []
    })
    afterEach(() => world?.close())

    const context = async (options?: ContextOptions): Promise<TestContext<unknown>> => {
      const next = await world.context(options)
      contexts.push(next)
      return next
    }
    const plan = async (options?: ContextOptions): Promise<DriverPlan> => {
      const its = await context(options)
      return driver.plan(its)
    }
    const deploy = async (options?: ContextOptions): Promise<{ planned: DriverPlan; result: ApplyResult }> => {
      const its = await context(options)
      const planned = await driver.plan(its)
      return { planned, result: await driver.apply(its, planned) }
    }
    const deployed = async (): Promise<void> => {
      const { result } = await deploy()
      expect(result, 'the first deployment').toMatchObject({ status: 'applied' })
    }

    const bodies: { [property in PropertyName]: () => Promise<void> } = {
      'validate-offline': async () => {
        const before = await world.read()
        await world.killTarget()
        const findings = await driver.validate(await context())
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
        // A target that is dead cannot be read any more; one that can must be as it was.
        const after = await world.read().catch(() => before)
        expect(after).toEqual(before)
      },
      'plan-read-only': async () => {
        const before = await world.read()
        expect((await plan()).changes.length).toBeGreaterThan(1)
        expect(await world.read()).toEqual(before)
        await deployed()
        const applied = await world.read()
        expect(applied).not.toEqual(before)
        await world.edit()
        expect((await plan()).changes).toHaveLength(1)
        await plan({ kind: 'drift' })
        expect(await world.read()).toEqual(applied)
      },
      'apply-exact': async () => {
        const first = await deploy()
        expect(first.result.status).toBe('applied')
        expect(addresses(first.result.resources)).toEqual(addresses(first.planned.changes))
        expect(new Set(first.result.resources.map(({ status }) => status))).toEqual(new Set(['done']))
        const place = await world.edit()
        const second = await deploy()
        expect(places(second.planned.changes)).toEqual([`${place.address} ${place.attribute}`])
        expect(second.result.status).toBe('applied')
        expect(addresses(second.result.resources)).toEqual([place.address])
      },
      'second-plan-empty': async () => {
        await deployed()
        const again = await plan()
        expect(again.changes).toEqual([])
        expect(again.coverage.checked).toBeGreaterThan(0)
        const { result } = await deploy()
        expect(result).toMatchObject({ status: 'applied', resources: [] })
      },
      'plan-stable': async () => {
        // Each context has its own keys, as no two workers' would be: the keyed hashes of one are compared.
        const its = await context()
        const one = await driver.plan(its)
        const other = await driver.plan(await its.next())
        expect(other.changes).toEqual(one.changes)
      },
      'drift-exact': async () => {
        await deployed()
        const { address, attribute } = await world.tamper()
        const { changes } = await plan({ kind: 'drift' })
        expect(places(changes)).toEqual([`${address} ${attribute}`])
        const [found] = changes[0]!.attributes
        expect(found!.before).toBeDefined()
        expect(found!.before).not.toEqual(found!.after)
      },
      heal: async () => {
        await deployed()
        const before = await world.read()
        await world.tamper()
        expect(await world.read()).not.toEqual(before)
        const { result } = await deploy({ kind: 'heal' })
        expect(result.status).toBe('applied')
        expect(await world.read()).toEqual(before)
        expect((await plan({ kind: 'drift' })).changes).toEqual([])
      },
      ignore: async () => {
        await deployed()
        const { address, attribute, read } = await world.tamperIgnorable()
        const tampered = await read()
        const ignore = [{ address, attribute }]
        const shown = (planned: DriverPlan): string[] => places(applyIgnoreToChanges(planned.changes, ignore))
        expect(shown(await plan())).toEqual([])
        expect(places((await plan({ ignore: [] })).changes)).toEqual([`${address} ${attribute}`])
        const place = await world.edit()
        const { planned, result } = await deploy({ ignore })
        expect(shown(planned)).toEqual([`${place.address} ${place.attribute}`])
        expect(result.status).toBe('applied')
        expect(await read()).toEqual(tampered)
      },
      secrets: async () => {
        const first = await deploy()
        expect(JSON.stringify(await world.read()), 'the secret reached the target').toContain(world.secret)
        const place = await world.tamper()
        const second = await deploy({ kind: 'heal' })
        expect(places(second.planned.changes)).toEqual([`${place.address} ${place.attribute}`])
        const said = JSON.stringify([first, second, contexts.map(({ lines }) => lines)])
        expect(said).not.toContain(world.secret)
        expect(said).not.toContain(Buffer.from(world.secret).toString('base64').replace(/=+$/, '').slice(0, -1))
      },
      cancel: async () => {
        await deployed()
        const { begun } = await world.slowApply()
        const its = await context()
        const planned = await driver.plan(its)
        const applying = driver.apply(its, planned).catch((thrown: unknown) => thrown)
        await begun()
        const canceledAt = performance.now()
        its.cancel()
        const ended = await applying
        expect(performance.now() - canceledAt).toBeLessThan(CANCEL_MS)
        if (ended instanceof TrueupError) expect(ended.code).toBe('CANCELED')
        else expect((ended as ApplyResult).status).toBe('canceled')
        await sleep(200)
        expect(await (world.processes?.() ?? processesNaming(its.root))).toEqual([])
      },
      'missing-tool': async () => {
        const its = await context()
        its.env = { ...its.env, PATH: its.scratch }
        const thrown = await driver.versions(its).catch((error: unknown) => error)
        expect(thrown).toMatchObject({ code: 'TOOL_MISSING' })
        expect((thrown as TrueupError).next).toMatch(/install/i)
      },
      'dead-target': async () => {
        await deployed()
        await world.killTarget()
        const ended = await plan({ kind: 'drift' }).catch((thrown: unknown) => thrown)
        if (ended instanceof TrueupError) expect(ended.code).toBe('TARGET_UNREACHABLE')
        else expect((ended as DriverPlan).coverage.unchecked).not.toEqual([])
      },
      'broken-source': async () => {
        await world.breakSource()
        const findings = await driver.validate(await context()).catch(codeOf)
        if (Array.isArray(findings)) {
          const errors = findings.filter(({ severity }) => severity === 'error')
          expect(errors.length).toBeGreaterThan(0)
          expect(errors.some(({ path, message }) => path !== undefined || /\.\w+/.test(message))).toBe(true)
        } else expect(findings).toBe('SOURCE_INVALID')
        expect(await plan().catch(codeOf)).toBe('SOURCE_INVALID')
      },
      'half-failed': async () => {
        await deployed()
        const { done, failed } = await world.breakApply()
        const { result } = await deploy()
        expect(result.status).toBe('failed')
        const having = (status: string): string[] =>
          addresses(result.resources.filter((resource) => resource.status === status))
        expect(having('done')).toEqual(done.toSorted())
        expect(having('failed')).toEqual(failed.toSorted())
        const why = [
          ...result.resources.flatMap(({ status, message }) => (status === 'failed' ? [message] : [])),
          ...result.findings.flatMap(({ severity, message }) => (severity === 'error' ? [message] : [])),
        ]
        expect(why.filter(Boolean).length).toBeGreaterThan(0)
      },
      coverage: async () => {
        const address = await world.addUncheckable()
        const { coverage } = await plan()
        const named = coverage.unchecked.find((unchecked) => unchecked.address === address)
        expect(named, `${address} in ${JSON.stringify(coverage.unchecked)}`).toBeDefined()
        expect(named!.why).not.toBe('')
      },
      destroy: async () => {
        const empty = await world.read()
        await deployed()
        expect(await world.read()).not.toEqual(empty)
        const { planned, result } = await deploy({ destroy: true, kind: 'destroy' })
        expect(planned.changes.length).toBeGreaterThan(1)
        expect(new Set(planned.changes.flatMap(({ actions }) => actions))).toEqual(new Set(['delete']))
        expect(result.status).toBe('applied')
        expect(await world.read()).toEqual(empty)
        expect((await plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
      },
    }

    for (const [property, title] of Object.entries(PROPERTIES) as [PropertyName, string][]) {
      const reason = exempt[property]
      const body = bodies[property]
      if (reason !== undefined) continue
      test(title, async ({ task }) => {
        task.meta.conformance = { driver: name, property, against, exempt }
        await body()
      })
    }
  })
}

const codeOf = (thrown: unknown): string => (thrown instanceof TrueupError ? thrown.code : String(thrown))

const addresses = (items: readonly { address: string }[]): string[] => items.map(({ address }) => address).toSorted()

/** `address attribute` of everything that would change; a creation or deletion as `address (create)`. */
function places(changes: readonly ResourceChange[]): string[] {
  return changes
    .flatMap(({ address, actions, attributes }) =>
      actions.includes('update') && attributes.length > 0
        ? attributes.map(({ path }) => `${address} ${path}`)
        : [`${address} (${actions.join('+')})`],
    )
    .toSorted()
}
