import { isGlob } from '../../domain/glob.ts'
import { outsideProblem } from '../../domain/stacks/naming.ts'
import { byPath, type LeftOut } from '../../drivers/proposal.ts'
import { DRIVERS } from '../../drivers/registry.ts'
import type { WorkingTree } from '../local/working-tree.ts'
import type { Claim } from './claim.ts'
import { deployedAlready } from './claims.ts'
import type { Found } from './found.ts'
import { otherTools } from './other-tools.ts'

/** All that was seen of a repository: what could be a stack, and what could not and why. */
export interface Survey {
  found: Found[]
  leftOut: LeftOut[]
  /** What another GitOps tool deploys of it. */
  claims: Claim[]
}

/** A tool that Trueup would replace for the directories that it deploys. */
export type Replaced = Claim['by'] | null

/** Looks at a repository with the eyes of every driver; nothing is run. */
export async function survey(tree: WorkingTree, replaced: Replaced = null): Promise<Survey> {
  const proposed: Found[] = []
  const leftOut: LeftOut[] = []
  for (const [name, driver] of DRIVERS) {
    const detected = await driver.detect(tree.files, tree.read)
    for (const stack of detected.stacks) proposed.push({ driver: name, ...stack })
    leftOut.push(...detected.leftOut)
  }
  const others = await otherTools(tree)
  leftOut.push(...others.leftOut)
  const found: Found[] = []
  // What a program around a tool governs is not that tool's as well.
  const governed = new Set(others.stacks.map(({ path }) => path))
  for (const stack of [...others.stacks, ...proposed.filter(({ path }) => !governed.has(path))]) {
    const why = unusable(stack.path)
    if (why === null) found.push(stack)
    else leftOut.push({ path: stack.path, why })
  }
  const claims = await deployedAlready(tree)
  const free: Found[] = []
  for (const stack of found) {
    const claim = claims.find((each) => each.by !== replaced && covers(each, stack))
    if (claim === undefined) free.push(stack)
    else leftOut.push({ path: stack.path, why: `${claim.by} deploys it already, by ${claim.file}` })
  }
  const moved = claims.filter(({ by }) => by === replaced)
  for (const { path, stack, why } of moved) if (stack === null) leftOut.push({ path, why })
  const taken = moved.flatMap(({ stack }) => (stack === null ? [] : [stack]))
  const tells = (stack: Found): Claim | undefined =>
    moved.find(({ file }) => stack.driver === 'kubernetes' && file.startsWith(`${stack.path}/`))
  const rest = free.filter((stack) => !moved.some((claim) => covers(claim, stack)) && tells(stack) === undefined)
  for (const stack of free)
    if (tells(stack) !== undefined) leftOut.push({ path: stack.path, why: `it tells ${replaced} what to deploy` })
  return { found: [...taken, ...rest].toSorted(byPath), leftOut: unique(leftOut), claims }
}

/** Only what a cluster gets: a Terraform module below the same directory is nothing that Flux would apply. */
const covers = ({ path }: Claim, stack: Found): boolean =>
  stack.driver === 'kubernetes' &&
  (path === '.' || stack.path === path || stack.path.startsWith(`${path}/`) || path.startsWith(`${stack.path}/`))

/** Why no stack can have this path, or null. */
function unusable(path: string): string | null {
  if (path !== '.' && path.split('/').some((segment) => segment.startsWith('.'))) return 'a hidden directory'
  if (/(^|\/)(contrib|third[_-]party)(\/|$)/.test(path)) return 'a contribution beside the product'
  if (isGlob(path) || path.includes('{')) return 'a path with wildcards in its name would be taken for a pattern'
  return outsideProblem(path)
}

function unique(all: readonly LeftOut[]): LeftOut[] {
  return [...new Map(all.map((one) => [`${one.path}\0${one.why}`, one])).values()].toSorted(byPath)
}
