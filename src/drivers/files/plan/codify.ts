import { posix, relative } from 'node:path'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import type { DriverContext, FilePatch } from '../../driver.ts'
import { octal, type Step } from './compare.ts'
import type { FilesConfig } from '../config.ts'
import { readSmall } from '../host/content.ts'
import { hostError } from '../host/host-error.ts'
import { withSurvey } from './survey.ts'
import type { Survey } from './survey-state.ts'

/** Larger files do not belong into a merge request. */
const LARGEST = 5 * 1024 * 1024

/**
 * The host's state of the planned addresses as changes to the repository: content, executable bit, link target, and
 * removal of what is gone. What Git cannot hold (owner, other modes) or must not (secrets, filled-in templates) is named
 * in the log and left out. Extra files only with `prune: all`, where they would otherwise be removed.
 */
export async function codify(context: DriverContext<FilesConfig>, plan: DriverPlan): Promise<FilePatch[]> {
  const addresses = new Set(plan.changes.map(({ address }) => address))
  return withSurvey(context, (survey) => {
    const patches: FilePatch[] = []
    for (const step of survey.steps) {
      if (!addresses.has(step.change.address)) continue
      const patch = patchOf(context, survey, step)
      if (patch === null) continue
      if ('why' in patch)
        context.log(`${step.change.address} cannot be written to Git: ${patch.why}`.replaceAll('\n', ' '))
      else patches.push(patch)
    }
    return patches
  })
}

function patchOf(context: DriverContext<FilesConfig>, survey: Survey, step: Step): FilePatch | { why: string } | null {
  const { wanted, live, act, path } = step
  if (act === 'reload' || act === 'above' || wanted?.kind === 'directory') return null
  if (act === 'delete' && (context.config.prune !== 'all' || live.kind === 'directory')) return null
  const inGit = wanted
    ? relative(context.workspace, wanted.origin)
    : posix.join(context.stack.path, context.config.source, path)
  if (live.kind === 'absent') return { path: inGit, content: null }
  if (live.kind === 'symlink') return { path: inGit, content: Buffer.from(live.target), mode: '120000' }
  if (live.kind !== 'file') return { why: `a ${live.kind} is there` }
  if (wanted?.kind === 'file' && wanted.rendered) return { why: 'it comes from a template' }
  const isSecret = step.change.attributes.some((attribute) => attribute.path === 'content' && attribute.sensitive)
  if (isSecret) return { why: 'its content is a secret, or not readable for others' }
  const { mode } = live.status
  const isForGit = mode === 0o644 || mode === 0o755
  const planned = new Set(step.change.attributes.map((attribute) => attribute.path))
  if (!planned.has('content') && !planned.has('type') && (!planned.has('mode') || !isForGit)) {
    return { why: `Git holds neither owners nor the mode ${octal(mode)}; write a rule into trueup.yaml` }
  }
  const content = readLive(survey, path)
  if (content === null) return { why: `it is larger than ${LARGEST} bytes` }
  return { path: inGit, content, mode: (mode & 0o100) === 0 ? '100644' : '100755' }
}

function readLive({ target }: Survey, path: string): Buffer | null {
  try {
    const place = target.tree?.locate(path)
    if (place?.kind !== 'open') throw Object.assign(new Error(path), { code: 'ENOENT' })
    return readSmall(place.path, LARGEST)
  } catch (error) {
    throw hostError(error, `reading ${path} under ${target.path}`)
  }
}
