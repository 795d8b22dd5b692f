import type { AppliedResource, ApplyResult, Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { runReload } from './commands.ts'
import type { Step } from '../plan/compare.ts'
import type { FilesConfig } from '../config.ts'
import { hostError } from '../host/host-error.ts'
import type { HostTree } from '../host/host-tree.ts'
import { type Inventory, removeInventory, writeInventory } from '../host/inventory.ts'
import { look } from '../host/live.ts'
import { isUnmoved, putAttributes, putDirectory, putStaged, remove, syncDirectory } from './put.ts'
import { slices } from '../host/slices.ts'
import { parentOf, type StagedEntry, unstage } from './stage.ts'
import type { Survey } from '../plan/survey-state.ts'

/** A prepared apply. */
export interface Work {
  survey: Survey
  tree: HostTree
  /** In the order of doing. */
  work: readonly Step[]
  /** Steps that are done already: the target itself. */
  made: ReadonlySet<Step>
  staged: Map<Step, StagedEntry>
  /** As it stands on disk: with everything that is about to be placed. */
  inventory: Inventory
}

type Outcome = Omit<ApplyResult, 'outputs'>

/** Puts everything in its place, makes it durable, then runs the commands that are due. Stops at the first error. */
export async function commit(context: DriverContext<FilesConfig>, prepared: Work): Promise<Outcome> {
  const resources = new Map<Step, AppliedResource>()
  const outcome: Outcome = { status: 'applied', resources: [], findings: [] }
  const touched = new Set<string>()
  try {
    await putAll(context, prepared, resources, touched)
    syncAll(prepared.tree, touched)
    await reloadAll(context, prepared, resources)
  } catch (error) {
    const known = error instanceof TrueupError ? error : hostError(error, 'making the changes durable')
    if (!(known instanceof TrueupError)) throw error
    outcome.status = known.code === 'CANCELED' ? 'canceled' : 'failed'
    outcome.findings.push(findingOf(known))
    const due = prepared.inventory.reload
    if (due.length > 0) outcome.findings.push(stillDue(due))
    syncAll(prepared.tree, touched)
  }
  for (const [step, entry] of prepared.staged) if (!isDone(resources, step)) unstage(prepared.tree, entry)
  settleInventory(context, prepared, resources, outcome)
  outcome.resources = prepared.work.map((step) => resources.get(step) ?? resource(step, 'skipped'))
  return outcome
}

async function putAll(
  context: DriverContext<FilesConfig>,
  { survey, tree, work, made, staged }: Work,
  resources: Map<Step, AppliedResource>,
  touched: Set<string>,
): Promise<void> {
  const pause = slices(context.signal, `changing ${survey.target.path}`)
  for (const step of work) {
    if (step.act === 'reload') continue
    if (context.signal.aborted) {
      throw new TrueupError('CANCELED', { doing: `changing ${survey.target.path}`, why: 'the run was canceled' })
    }
    const doing = `changing ${step.change.address}`
    try {
      if (!made.has(step)) {
        if (!isUnmoved(tree, step)) {
          const why = 'it was changed by someone else while the plan was applied'
          throw new TrueupError('APPLY_PARTIAL', { doing, why, next: 'Plan again.' })
        }
        put(tree, step, staged, survey)
        touched.add(parentOf(step.path))
      }
      resources.set(step, resource(step, 'done'))
    } catch (error) {
      const known = hostError(error, doing)
      if (known instanceof TrueupError) resources.set(step, { ...resource(step, 'failed'), message: known.text.why })
      throw known
    }
    const waiting = pause()
    if (!waiting) continue
    await waiting
    tree.rewind()
  }
}

function put(tree: HostTree, step: Step, staged: Map<Step, StagedEntry>, { names }: Survey): void {
  const entry = staged.get(step)
  if (entry) return putStaged(tree, entry)
  if (step.act === 'directory') return putDirectory(tree, step)
  if (step.act === 'attributes') return putAttributes(tree, step)
  if (step.path === '') removeInventory(tree, names) // The target goes, and is empty but for it.
  remove(tree, step)
}

function syncAll(tree: HostTree, touched: Set<string>): void {
  for (const directory of [...touched].sort()) syncDirectory(tree, directory)
  touched.clear()
}

/** Runs the commands that are due, each once. One that does not succeed stays due, and so do those after it. */
async function reloadAll(
  context: DriverContext<FilesConfig>,
  { inventory, work }: Work,
  resources: Map<Step, AppliedResource>,
): Promise<void> {
  const due = inventory.reload
  for (const run of due) {
    const step = work.find(({ act, path }) => act === 'reload' && path === run)
    try {
      await runReload(context, run)
    } catch (error) {
      if (step && error instanceof TrueupError) {
        resources.set(step, { ...resource(step, 'failed'), message: error.text.why })
      }
      throw error
    }
    inventory.reload = inventory.reload.filter((due) => due !== run)
    if (step) resources.set(step, resource(step, 'done'))
  }
}

/** Brings the list of placed files to what is true now. */
function settleInventory(
  context: DriverContext<FilesConfig>,
  { survey, tree, work, inventory }: Work,
  resources: Map<Step, AppliedResource>,
  outcome: Outcome,
): void {
  const removed = new Set<string>()
  for (const step of work) if (step.act === 'delete' && isDone(resources, step)) removed.add(step.path)
  const stays = (path: string): boolean =>
    !removed.has(path) && (survey.wanted.entries.has(path) || look(tree, path).kind !== 'absent')
  try {
    const files = inventory.files.filter(stays)
    if (context.destroy && outcome.status === 'applied' && files.length === 0)
      return removeInventory(tree, survey.names)
    if (removed.has('')) return
    writeInventory(tree, survey.names, { ...inventory, files, directories: inventory.directories.filter(stays) })
  } catch (error) {
    const known = hostError(error, `writing the list of placed files under ${survey.target.path}`)
    if (!(known instanceof TrueupError)) throw error
    outcome.findings.push({ ...findingOf(known), severity: 'warning' })
  }
}

const isDone = (resources: Map<Step, AppliedResource>, step: Step): boolean => resources.get(step)?.status === 'done'

const resource = ({ change }: Step, status: AppliedResource['status']): AppliedResource => ({
  address: change.address,
  actions: change.actions,
  status,
})

const findingOf = (error: TrueupError): Finding => ({
  severity: 'error',
  code: error.code,
  message: `${error.message}. ${error.next}`,
})

const stillDue = (commands: readonly string[]): Finding => ({
  severity: 'warning',
  code: 'reload-due',
  message: `not run yet, and part of the next plan: ${commands.map((run) => `\`${run}\``).join(', ')}`,
})
