import type { ApplyResult, DriverPlan } from '../../src/domain/plans/plan.ts'
import type { Driver } from '../../src/drivers/driver.ts'
import { TrueupError } from '../../src/lib/errors/error.ts'
import { processesNaming } from './processes.ts'
import type { ContextOptions, Subject, World } from './subject.ts'
import { comesTrue } from './wait.ts'

/** Less than a slow apply takes, so that a process which is left runs still. */
const LEFT_MS = 10_000

interface Deployment {
  planned: DriverPlan
  result: ApplyResult
}

/** Plans and applies; what the driver logs and gives is added to `heard`. */
export async function deploy(
  driver: Driver,
  world: World,
  options?: ContextOptions,
  heard: unknown[] = [],
): Promise<Deployment> {
  const context = await world.context(options)
  heard.push(context.lines)
  const planned = await driver.plan(context)
  const result = await driver.apply(context, planned)
  heard.push(planned, result)
  return { planned, result }
}

/**
 * The life of one stack, from nothing until it heals and ignores, and of another that fails, is canceled and loses its
 * target: most properties ask about one of their steps. A step notes what the driver said and how the target was before
 * and after; it is taken once, after those before it, when the first property asks for it. What fails in a step fails in
 * every property that asks for it or for a later one.
 */
export function lifeOf(driver: Driver, open: Subject['open']) {
  const heard: unknown[] = []
  const plan = async (world: World, options?: ContextOptions): Promise<DriverPlan> => {
    const context = await world.context(options)
    heard.push(context.lines)
    const planned = await driver.plan(context)
    heard.push(planned)
    return planned
  }
  const deployed = (world: World, options?: ContextOptions): Promise<Deployment> =>
    deploy(driver, world, options, heard)

  const opened = once(open)
  const planned = once(async () => {
    const world = await opened()
    const before = await world.read()
    // Each context has its own keys, as no two workers' would be: the keyed hashes of one are compared.
    const context = await world.context()
    const one = await driver.plan(context)
    const other = await driver.plan(await context.next())
    return { world, before, one, other, after: await world.read() }
  })
  const first = once(async () => {
    const { world } = await planned()
    return { world, ...(await deployed(world)), after: await world.read() }
  })
  const again = once(async () => {
    const { world } = await first()
    return { world, ...(await deployed(world)), after: await world.read() }
  })
  const edited = once(async () => {
    const { world, after: before } = await again()
    const place = await world.edit()
    const looked = await plan(world)
    const afterPlan = await world.read()
    return { world, place, before, looked, afterPlan, ...(await deployed(world)) }
  })
  const tampered = once(async () => {
    const { world } = await edited()
    const before = await world.read()
    const place = await world.tamper()
    const after = await world.read()
    const drift = await plan(world, { kind: 'drift' })
    return { world, place, before, after, drift, afterPlan: await world.read() }
  })
  const healed = once(async () => {
    const { world, place, before } = await tampered()
    const its = await deployed(world, { kind: 'heal' })
    const after = await world.read()
    return { world, place, before, ...its, after, drift: await plan(world, { kind: 'drift' }) }
  })
  const ignored = once(async () => {
    const { world } = await healed()
    const { address, attribute, read } = await world.tamperIgnorable()
    const ignore = [{ address, attribute }]
    const before = await read()
    const open = await plan(world, { ignore: [] })
    const place = await world.edit()
    const its = await deployed(world, { ignore })
    return { world, ignore, open, place, ...its, before, after: await read() }
  })
  const reopened = once(open)
  const halfFailed = once(async () => {
    const world = await reopened()
    const { result } = await deployed(world)
    if (result.status !== 'applied') throw new Error(`the first deployment: ${JSON.stringify(result)}`)
    const expected = await world.breakApply()
    return { world, expected, ...(await deployed(world)) }
  })
  const canceled = once(async () => {
    const { world } = await halfFailed()
    const { begun } = await world.slowApply()
    const context = await world.context()
    heard.push(context.lines)
    const planned = await driver.plan(context)
    const applying = driver.apply(context, planned).catch((thrown: unknown) => thrown)
    const early = applying.then((ended) => {
      throw new Error(`the slow apply ended before it was canceled: ${JSON.stringify(ended)}`, { cause: ended })
    })
    early.catch(() => {})
    await Promise.race([begun(), early])
    const canceledAt = performance.now()
    context.cancel()
    const ended = await applying
    const tookMs = performance.now() - canceledAt
    const left = () => world.processes?.() ?? processesNaming(context.root)
    await comesTrue(async () => (await left()).length === 0, 'no process is left', LEFT_MS).catch(() => {})
    return { world, ended, tookMs, left: await left() }
  })
  const dead = once(async () => {
    const { world } = await canceled()
    await world.killTarget()
    return await plan(world, { kind: 'drift' }).catch((thrown: unknown) => {
      if (thrown instanceof TrueupError) return thrown
      throw thrown
    })
  })
  return {
    planned,
    first,
    again,
    edited,
    tampered,
    healed,
    ignored,
    halfFailed,
    canceled,
    dead,
    /** Every plan, result and line of the log so far. */
    heard,
    /** Ends the worlds that there are. */
    close: async () => {
      for (const world of [opened, reopened]) if (world.begun()) await (await world().catch(() => undefined))?.close()
    },
  }
}

/** The step, taken at its first call: later calls get what came of it. */
function once<Result>(step: () => Promise<Result>): (() => Promise<Result>) & { begun: () => boolean } {
  let taken: Promise<Result> | undefined
  return Object.assign(() => (taken ??= step()), { begun: () => taken !== undefined })
}
