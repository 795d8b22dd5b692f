import { afterAll, describe, expect, test } from 'vitest'
import { applyIgnoreToChanges } from '../../src/domain/plans/ignore.ts'
import type { ApplyResult, ResourceChange } from '../../src/domain/plans/plan.ts'
import { driverNamed } from '../../src/drivers/registry.ts'
import { TrueupError } from '../../src/lib/errors/error.ts'
import { deploy, lifeOf } from './life.ts'
import { PROPERTIES, type PropertyName } from './properties.ts'
import type { Subject, World } from './subject.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** A row of the conformance table. */
    conformance?: { driver: string; property: PropertyName; against: string; exempt: Subject['exempt'] }
  }
}

/** A property that is asked first waits for all that comes before its step; on a busy machine a step is minutes. */
const LONGEST_MS = 10 * 60_000
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
    const open = async (): Promise<World> => {
      if (missing !== null) throw new Error(missing)
      return await subject.open()
    }
    const life = lifeOf(driver, open)
    afterAll(life.close)

    /** For what needs a source or a target that no other property is to see. */
    const alone = (body: (world: World) => Promise<void>) => async (): Promise<void> => {
      const world = await open()
      try {
        await body(world)
      } finally {
        await world.close()
      }
    }

    const bodies: { [property in PropertyName]: () => Promise<void> } = {
      'validate-offline': alone(async (world) => {
        const before = await world.read()
        await world.killTarget()
        const findings = await driver.validate(await world.context())
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
        // A target that is dead cannot be read any more; one that can must be as it was.
        const after = await world.read().catch(() => before)
        expect(after).toEqual(before)
      }),
      'plan-read-only': async () => {
        const fresh = await life.planned()
        expect(fresh.one.changes.length).toBeGreaterThan(1)
        expect(fresh.after).toEqual(fresh.before)
        const edited = await life.edited()
        expect(edited.before).not.toEqual(fresh.before)
        expect(edited.looked.changes).toHaveLength(1)
        expect(edited.afterPlan).toEqual(edited.before)
        const tampered = await life.tampered()
        expect(tampered.afterPlan, 'after a plan for drift').toEqual(tampered.after)
      },
      'apply-exact': async () => {
        const first = await life.first()
        expect(first.result.status).toBe('applied')
        expect(addresses(first.result.resources)).toEqual(addresses(first.planned.changes))
        expect(new Set(first.result.resources.map(({ status }) => status))).toEqual(new Set(['done']))
        const { place, planned, result } = await life.edited()
        expect(places(planned.changes)).toEqual([`${place.address} ${place.attribute}`])
        expect(result.status).toBe('applied')
        expect(addresses(result.resources)).toEqual([place.address])
      },
      'second-plan-empty': async () => {
        const { after } = await life.first()
        const again = await life.again()
        expect(again.planned.changes).toEqual([])
        expect(again.planned.coverage.checked).toBeGreaterThan(0)
        expect(again.result).toMatchObject({ status: 'applied', resources: [] })
        expect(again.after).toEqual(after)
      },
      'plan-stable': async () => {
        const { one, other } = await life.planned()
        expect(other.changes).toEqual(one.changes)
      },
      'drift-exact': async () => {
        const { place, drift } = await life.tampered()
        expect(places(drift.changes)).toEqual([`${place.address} ${place.attribute}`])
        const [found] = drift.changes[0]!.attributes
        expect(found!.before).toBeDefined()
        expect(found!.before).not.toEqual(found!.after)
      },
      heal: async () => {
        const { before, after: tampered } = await life.tampered()
        expect(tampered).not.toEqual(before)
        const healed = await life.healed()
        expect(healed.result.status).toBe('applied')
        expect(healed.after).toEqual(before)
        expect(healed.drift.changes).toEqual([])
      },
      ignore: async () => {
        const { ignore, open, place, planned, result, before, after } = await life.ignored()
        const shown = (changes: ResourceChange[]): string[] => places(applyIgnoreToChanges(changes, ignore))
        expect(places(open.changes)).toEqual(ignore.map(({ address, attribute }) => `${address} ${attribute}`))
        expect(shown(open.changes)).toEqual([])
        expect(shown(planned.changes)).toEqual([`${place.address} ${place.attribute}`])
        expect(result.status).toBe('applied')
        expect(after).toEqual(before)
      },
      secrets: async () => {
        const { world, after } = await life.first()
        expect(JSON.stringify(after), 'the secret reached the target').toContain(world.secret)
        await life.healed()
        const said = JSON.stringify(life.heard)
        expect(said).not.toContain(world.secret)
        expect(said).not.toContain(Buffer.from(world.secret).toString('base64').replace(/=+$/, '').slice(0, -1))
      },
      cancel: async () => {
        const { ended, tookMs, left } = await life.canceled()
        expect(tookMs).toBeLessThan(CANCEL_MS)
        if (ended instanceof TrueupError) expect(ended.code).toBe('CANCELED')
        else expect((ended as ApplyResult).status).toBe('canceled')
        expect(left).toEqual([])
      },
      'missing-tool': alone(async (world) => {
        const its = await world.context()
        its.env = { ...its.env, PATH: its.scratch }
        const thrown = await driver.versions(its).catch((error: unknown) => error)
        expect(thrown).toMatchObject({ code: 'TOOL_MISSING' })
        expect((thrown as TrueupError).next).toMatch(/install/i)
      }),
      'dead-target': async () => {
        const ended = await life.dead()
        if (ended instanceof TrueupError) expect(ended.code).toBe('TARGET_UNREACHABLE')
        else expect(ended.coverage.unchecked).not.toEqual([])
      },
      'broken-source': alone(async (world) => {
        await world.breakSource()
        const findings = await driver.validate(await world.context()).catch(codeOf)
        if (Array.isArray(findings)) {
          const errors = findings.filter(({ severity }) => severity === 'error')
          expect(errors.length).toBeGreaterThan(0)
          expect(errors.some(({ path, message }) => path !== undefined || /\.\w+/.test(message))).toBe(true)
        } else expect(findings).toBe('SOURCE_INVALID')
        expect(await driver.plan(await world.context()).catch(codeOf)).toBe('SOURCE_INVALID')
      }),
      'half-failed': async () => {
        const { expected, result } = await life.halfFailed()
        expect(result.status).toBe('failed')
        const having = (status: string): string[] =>
          addresses(result.resources.filter((resource) => resource.status === status))
        expect(having('done')).toEqual(expected.done.toSorted())
        expect(having('failed')).toEqual(expected.failed.toSorted())
        const why = [
          ...result.resources.flatMap(({ status, message }) => (status === 'failed' ? [message] : [])),
          ...result.findings.flatMap(({ severity, message }) => (severity === 'error' ? [message] : [])),
        ]
        expect(why.filter(Boolean).length).toBeGreaterThan(0)
      },
      coverage: alone(async (world) => {
        const address = await world.addUncheckable()
        const { coverage } = await driver.plan(await world.context())
        const named = coverage.unchecked.find((unchecked) => unchecked.address === address)
        expect(named, `${address} in ${JSON.stringify(coverage.unchecked)}`).toBeDefined()
        expect(named!.why).not.toBe('')
      }),
      destroy: alone(async (world) => {
        const empty = await world.read()
        const first = await deploy(driver, world)
        expect(first.result, 'the first deployment').toMatchObject({ status: 'applied' })
        expect(await world.read()).not.toEqual(empty)
        const { planned, result } = await deploy(driver, world, { destroy: true, kind: 'destroy' })
        expect(planned.changes.length).toBeGreaterThan(1)
        expect(new Set(planned.changes.flatMap(({ actions }) => actions))).toEqual(new Set(['delete']))
        expect(result.status).toBe('applied')
        expect(await world.read()).toEqual(empty)
        const again = await driver.plan(await world.context({ destroy: true, kind: 'destroy' }))
        expect(again.changes).toEqual([])
      }),
    }

    for (const [property, title] of Object.entries(PROPERTIES) as [PropertyName, string][]) {
      const reason = exempt[property]
      const body = bodies[property]
      if (reason !== undefined) continue
      test(title, { timeout: LONGEST_MS }, async ({ task }) => {
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
