import { rmdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { compileIgnore } from '../../../domain/plans/ignore.ts'
import type { ApplyResult, DriverPlan } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { commit } from './commit.ts'
import { dueReloads, runChecks } from './commands.ts'
import type { Step } from '../plan/compare.ts'
import type { FilesConfig } from '../config.ts'
import { hostError } from '../host/host-error.ts'
import { HostTree } from '../host/host-tree.ts'
import { type Inventory, sameInventory, writeInventory } from '../host/inventory.ts'
import { obstaclesTo, refuseObstacles } from '../plan/obstacles.ts'
import { outputsOf } from '../plan/outputs.ts'
import { isUnmoved, putDirectory, syncDirectory } from './put.ts'
import { selectPlanned, staleError } from '../plan/select.ts'
import { slices } from '../host/slices.ts'
import { finalAttributes, parentOf, removeLeftovers, stage, type StagedEntry, unstage } from './stage.ts'
import { withSurvey } from '../plan/survey.ts'
import type { Survey } from '../plan/survey-state.ts'

/**
 * Does what the plan says, or throws before anything is changed: PLAN_STALE when the host has moved on, TARGET_DENIED or
 * TARGET_FULL when new content cannot be written, TOOL_FAILED when a `check` command refuses it, CANCELED.
 *
 * All new content is written under temporary names first, then checked, then renamed into place, so a kill at any point
 * leaves every file old or new and never in between. An error half-way is a result that names what was done.
 */
export async function apply(context: DriverContext<FilesConfig>, plan: DriverPlan): Promise<ApplyResult> {
  return withSurvey(context, async (survey) => {
    const work = selectPlanned(survey, plan)
    const outputs = outputsOf(survey, context.destroy)
    if (work.length === 0) return { status: 'applied', resources: [], outputs, findings: [] }
    refuseObstacles(survey.target, obstaclesTo(survey.target, survey.target.tree, work))
    const made = makeTarget(survey, work)
    const tree = survey.target.tree ?? HostTree.open(survey.target.path)
    if (!tree) throw staleError(survey.target.path, [survey.target.path])
    try {
      const { staged, inventory } = await prepare(context, survey, tree, work, made)
      return { ...(await commit(context, { survey, tree, work, made, staged, inventory })), outputs }
    } catch (error) {
      unmakeTarget(made)
      throw error
    } finally {
      if (tree !== survey.target.tree) tree.close()
    }
  })
}

/** Everything that can be done without changing a managed file. Leaves nothing behind when it throws. */
async function prepare(
  context: DriverContext<FilesConfig>,
  survey: Survey,
  tree: HostTree,
  work: readonly Step[],
  made: ReadonlySet<Step>,
): Promise<{ staged: Map<Step, StagedEntry>; inventory: Inventory }> {
  const staged = new Map<Step, StagedEntry>()
  const { target, names, wanted } = survey
  const ignored = compileIgnore(context.ignore)
  try {
    cleanUp(context, survey, tree, work)
    const pause = slices(context.signal, `writing the new content for ${target.path}`)
    for (const step of work) {
      if (step.act !== 'write' && step.act !== 'link') continue
      const final = finalAttributes(step, ignored)
      staged.set(
        step,
        guard(`writing the new content of ${step.change.address}`, () => stage(tree, step, names, final)),
      )
      await pause()
    }
    const files = [...staged.values()].filter(({ step }) => step.act === 'write')
    const described = files.map((file) => ({
      path: file.step.path,
      temporary: join(target.path, file.directory, file.name),
    }))
    await runChecks(context, described, wanted)
    tree.rewind() // The checks took their time: walk every path anew.
    const stale = work.filter((step) => !made.has(step) && step.act !== 'reload' && !isUnmoved(tree, step))
    if (stale.length > 0)
      throw staleError(
        target.path,
        stale.map(({ change }) => change.address),
      )
    const inventory = intended(context.config, survey, work)
    if (!sameInventory(inventory, survey.inventory)) {
      guard(`writing ${join(target.path, names.inventory)}`, () => writeInventory(tree, names, inventory))
    }
    return { staged, inventory }
  } catch (error) {
    for (const entry of staged.values()) unstage(tree, entry)
    throw error
  }
}

/** The list of placed files as it has to be before the first of them is placed: a kill must not leave an unlisted one. */
function intended(config: FilesConfig, { inventory }: Survey, work: readonly Step[]): Inventory {
  const placed = work.filter(({ act }) => act === 'write' || act === 'link').map(({ path }) => path)
  const directories = work.filter(({ act }) => act === 'directory').map(({ path }) => path)
  const changed = work.filter(({ act }) => act !== 'reload' && act !== 'above').map(({ path }) => path)
  return {
    ...inventory,
    files: [...new Set([...inventory.files, ...placed])],
    directories: [...new Set([...inventory.directories, ...directories])],
    reload: [...new Set([...inventory.reload, ...dueReloads(config, changed)])],
  }
}

/** Temporary files of an apply that was killed. */
function cleanUp(
  context: DriverContext<FilesConfig>,
  { wanted, inventory, names, target }: Survey,
  tree: HostTree,
  work: readonly Step[],
): void {
  const directories = new Set([...inventory.directories, ...work.map(({ path }) => parentOf(path))])
  for (const entry of wanted.entries.values()) if (entry.kind === 'directory') directories.add(entry.path)
  let left = 0
  for (const directory of [...directories].filter((path) => !path.startsWith('/')).sort()) {
    left += guard(`removing what an interrupted apply left in ${join(target.path, directory)}`, () =>
      removeLeftovers(tree, directory, names),
    )
  }
  if (left > 0) context.log(`removed ${left} temporary files that an interrupted apply had left`)
}

/** Makes the target and what is missing above it, when it is not there. */
function makeTarget({ target }: Survey, work: readonly Step[]): Set<Step> {
  const made = new Set<Step>()
  if (target.tree) return made
  try {
    for (const step of work.filter(({ act, path }) => act === 'above' || (act === 'directory' && path === ''))) {
      const parent = HostTree.open(dirname(step.change.address))
      if (!parent) throw Object.assign(new Error(step.change.address), { code: 'ENOENT' })
      try {
        putDirectory(parent, { ...step, path: basename(step.change.address) })
        syncDirectory(parent, '')
      } finally {
        parent.close()
      }
      made.add(step)
    }
  } catch (error) {
    unmakeTarget(made)
    throw hostError(error, `making the target ${target.path}`)
  }
  return made
}

function unmakeTarget(made: ReadonlySet<Step>): void {
  for (const step of [...made].reverse()) {
    try {
      rmdirSync(step.change.address)
    } catch {
      return // Someone has put something into it meanwhile: it stays.
    }
  }
}

function guard<T>(doing: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw hostError(error, doing)
  }
}
