import type { ApplyResult, DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import type { StateEdit } from '../../../domain/runs/run-request.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { typeOf } from './addresses.ts'
import type { TerraformConfig } from '../config.ts'
import { toolError } from '../tool/diagnostics.ts'
import { readOutputs } from './outputs.ts'
import { resolvedPlaces } from '../place.ts'
import type { Session } from '../session.ts'
import { providerVersions } from '../tool/versions.ts'

type Context = DriverContext<TerraformConfig>

/**
 * What an edit of the state would do, by the tool's own `state list` and `-dry-run`. A move is the `update` without
 * attributes that a `moved` block has; each object that is removed is a `forget`.
 */
export async function planStateEdit(context: Context, session: Session, edit: StateEdit): Promise<DriverPlan> {
  const changes = edit.do === 'move' ? [await plannedMove(context, session, edit)] : []
  if (edit.do === 'remove') {
    for (const address of await objectsOf(context, session, edit.addresses)) changes.push(forget(address))
  }
  return {
    changes,
    coverage: { checked: 0, unchecked: [{ address: '*', why: 'an edit of the state looks at no real resource' }] },
    outputs: {},
    findings: [],
    toolVersions: { [session.tool.name]: session.tool.version, ...(await providerVersions(context)) },
    places: await resolvedPlaces(context, session),
  }
}

/** Does it under the state's lock. The tool writes the state once, at the end: what fails has changed nothing. */
export async function applyStateEdit(context: Context, session: Session, plan: DriverPlan): Promise<ApplyResult> {
  const edit = context.request?.state
  const { lockTimeout } = context.config
  const doing = `editing the state of stack "${context.stack.name}"`
  if (edit === undefined) throw new TrueupError('PLAN_STALE', { doing, why: 'the run does not say what to edit' })
  // Exactly the objects of the plan: what has come to an address since then stays.
  const operands = edit.do === 'move' ? [edit.from, edit.to] : plan.changes.map(({ address }) => address)
  const verb = edit.do === 'move' ? 'mv' : 'rm'
  const command = session.command('state', verb, '-no-color', `-lock-timeout=${lockTimeout}`, ...operands)
  const result = await context.run({ ...command, graceMs: 10_000 })
  if (result.exitCode !== 0) throw toolError(doing, result, [])
  return {
    status: 'applied',
    resources: plan.changes.map(({ address, actions }) => ({ address, actions, status: 'done' })),
    outputs: await readOutputs(context, session),
    findings: [],
  }
}

async function plannedMove(
  context: Context,
  session: Session,
  { from, to }: Extract<StateEdit, { do: 'move' }>,
): Promise<ResourceChange> {
  const command = session.command('state', 'mv', '-no-color', '-dry-run', '-lock=false', from, to)
  const result = await context.run({ ...command, graceMs: 2_000 })
  const doing = `planning to move ${from} to ${to} in the state of stack "${context.stack.name}"`
  if (result.exitCode !== 0) throw toolError(doing, result, [])
  return {
    address: to,
    type: typeOf(to),
    actions: ['update'],
    attributes: [],
    cause: 'config',
    reason: `moved from ${from}, in the state only`,
    previousAddress: from,
  }
}

/** Every object at or below these addresses. Errors: NOT_FOUND for one that has none. */
async function objectsOf(context: Context, session: Session, addresses: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const address of addresses) {
    const doing = `looking for ${address} in the state of stack "${context.stack.name}"`
    const result = await context.run({
      ...session.command('state', 'list', '-no-color', address),
      quiet: true,
      graceMs: 2_000,
    })
    if (result.exitCode !== 0) throw toolError(doing, result, [])
    const objects = result.stdout.split('\n').filter((line) => line.trim() !== '')
    if (objects.length === 0)
      throw new TrueupError('NOT_FOUND', {
        doing,
        why: 'there is no such object',
        next: '`trueup state list` has all.',
      })
    for (const object of objects) found.add(object)
  }
  return [...found].toSorted()
}

const forget = (address: string): ResourceChange => ({
  address,
  type: typeOf(address),
  actions: ['forget'],
  attributes: [],
  cause: 'config',
  reason: 'removed from the state only; what is real stays',
})
