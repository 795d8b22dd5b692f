import { readdirSync } from 'node:fs'
import { TrueupError } from '../../../lib/errors/error.ts'
import { type Comparison, removal, type Step } from './compare.ts'
import { type ExtrasFound, findExtras } from './extras.ts'
import { isOwnName } from '../host/inventory.ts'
import { look } from '../host/live.ts'
import { mountsBelow } from '../host/mounts.ts'
import type { Survey } from './survey-state.ts'
import { addressOf } from '../host/target.ts'

/** `prune: all`: whatever is under the target and not in Git. */
export function planExtras(found: Survey, comparison: Comparison): void {
  addRemovals(found, extrasBelow('', found), 'Git does not have it', comparison)
}

/** `prune: listed` and destroying: what this stack placed, by its inventory, and Git no longer has. */
export function planPlaced(found: Survey, comparison: Comparison, destroy: boolean, known: boolean): void {
  const { target, inventory, wanted, steps } = found
  const reason = destroy ? 'the stack is removed' : 'this stack placed it, and it has left Git'
  if (destroy && !known) {
    const message = `there is no list of files that this stack placed under ${target.path}: nothing is removed`
    found.findings.push({ severity: 'warning', code: 'no-inventory', message })
  }
  const going = new Set<string>(steps.filter((step) => step.act === 'delete').map((step) => step.path))
  const goes = (path: string): boolean => !wanted.entries.has(path) && !wanted.isExcluded(path) && !going.has(path)
  for (const path of inventory.files.filter(goes)) {
    const live = look(target.tree, path)
    if (live.kind === 'absent') continue
    const address = addressOf(target.path, path)
    if (live.kind === 'unreadable' || live.kind === 'directory') {
      const why = live.kind === 'directory' ? 'a directory stands where this stack placed a file' : live.why
      found.coverage.unchecked.push({ address, why })
      continue
    }
    add(removal(path, live, address, reason, comparison))
  }
  // Deepest first, so that a directory whose directories all go is seen to be empty.
  const deepest = [...inventory.directories].sort((a, b) => depth(b) - depth(a))
  for (const path of deepest.filter(goes)) {
    const live = look(target.tree, path)
    if (live.kind !== 'directory' || (path === '' && !destroy) || !holdsOnly(found, path, going)) continue
    add(removal(path, live, addressOf(target.path, path), reason, comparison))
  }

  function add(step: Step): void {
    going.add(step.path)
    steps.push(step)
    found.coverage.checked++
  }
}

/** What is inside directories that stand where Git has a file or link: it goes first, and is shown going. */
export function clearTheWay(found: Survey, comparison: Comparison): void {
  const blocked = found.steps.filter(
    ({ live, act }) => live.kind === 'directory' && (act === 'write' || act === 'link'),
  )
  for (const { path, change } of blocked) {
    const inside = extrasBelow(path, found)
    const kept = inside.unchecked[0]
    if (kept || inside.keeps) {
      throw new TrueupError('TARGET_UNSAFE', {
        doing: `planning ${change.address}`,
        why: `${change.reason}, and it holds ${kept ? `${kept.path} (${kept.why})` : 'excluded files'}`,
        next: 'Move the directory out of the way by hand, or rename the file in Git.',
      })
    }
    addRemovals(found, inside, `it is in the way of ${change.address}`, comparison, true)
  }
}

function extrasBelow(path: string, found: Survey): ExtrasFound {
  const { target, wanted, names } = found
  const live = look(target.tree, path)
  if (!target.tree || live.kind !== 'directory') return { extras: [], unchecked: [], keeps: false }
  const mounts = mountsBelow(target.tree.root)
  return findExtras(target.tree, path, {
    wanted: (below) => wanted.entries.get(below)?.kind,
    isExcluded: wanted.isExcluded,
    inventory: names.inventory,
    device: live.status.device,
    isMount: (below) => mounts.has(below),
  })
}

function addRemovals(
  found: Survey,
  { extras, unchecked }: ExtrasFound,
  reason: string,
  comparison: Comparison,
  inTheWay = false,
): void {
  const { target, coverage, steps } = found
  for (const { path, live } of extras) {
    steps.push({ ...removal(path, live, addressOf(target.path, path), reason, comparison), inTheWay })
    coverage.checked++
  }
  for (const { path, why } of unchecked) coverage.unchecked.push({ address: addressOf(target.path, path), why })
}

const depth = (path: string): number => (path === '' ? 0 : path.split('/').length)

function holdsOnly({ target }: Survey, path: string, going: ReadonlySet<string>): boolean {
  const place = target.tree?.directory(path)
  if (place?.kind !== 'open') return false
  return readdirSync(place.path).every((name) => isOwnName(name) || going.has(path === '' ? name : `${path}/${name}`))
}
