import { HOOK, HOOK_DELETE } from './annotations.ts'
import type { KubeObject } from './object.ts'

export type HookEvent = 'install' | 'upgrade' | 'rollback' | 'delete'
export type DeletePolicy = 'before' | 'succeeded' | 'failed'

/** One occasion on which a hook is run. */
export interface HookRun {
  when: 'before' | 'after'
  event: HookEvent
}

/** An object that is run with a change of the stack instead of being kept in sync. */
export interface Hook {
  /** Every occasion that it names; empty for one that never runs here. */
  runs: readonly HookRun[]
  /** What it names and nobody here knows or does: told, so that nothing vanishes. */
  unknown: readonly string[]
  /** Lower ones first. */
  weight: number
  /** When its last object is deleted. */
  deleteOn: readonly DeletePolicy[]
}

const runs = (when: HookRun['when'], ...events: HookEvent[]): HookRun[] => events.map((event) => ({ when, event }))
const changes = (when: HookRun['when']): HookRun[] => runs(when, 'install', 'upgrade', 'rollback')

interface Names {
  readonly [name: string]: readonly HookRun[]
}

const OWN: Names = {
  before: changes('before'),
  after: changes('after'),
  'before-delete': runs('before', 'delete'),
  'after-delete': runs('after', 'delete'),
}
/** https://helm.sh/docs/topics/charts_hooks/ */
const HELM: Names = {
  'pre-install': runs('before', 'install'),
  'post-install': runs('after', 'install'),
  'pre-upgrade': runs('before', 'upgrade'),
  'post-upgrade': runs('after', 'upgrade'),
  'pre-rollback': runs('before', 'rollback'),
  'post-rollback': runs('after', 'rollback'),
  'pre-delete': runs('before', 'delete'),
  'post-delete': runs('after', 'delete'),
}
/** https://argo-cd.readthedocs.io/en/stable/user-guide/resource_hooks/; `Skip` is a wish and not an occasion. */
const ARGO: Names = {
  PreSync: changes('before'),
  Sync: changes('after'),
  PostSync: changes('after'),
  PreDelete: runs('before', 'delete'),
  PostDelete: runs('after', 'delete'),
  Skip: [],
}
const POLICIES: { readonly [name: string]: DeletePolicy } = {
  'before-hook-creation': 'before',
  'hook-succeeded': 'succeeded',
  'hook-failed': 'failed',
  BeforeHookCreation: 'before',
  HookSucceeded: 'succeeded',
  HookFailed: 'failed',
  before: 'before',
  succeeded: 'succeeded',
  failed: 'failed',
}

/** The hook that an object is; null for ordinary ones. */
export function hookOf(object: KubeObject): Hook | null {
  const annotations = object.metadata.annotations ?? {}
  const own = names(annotations[HOOK])
  if (own.length > 0) return hook(own, OWN, annotations[HOOK_DELETE], 0)
  // Helm reads its own words in any case.
  const helm = names(annotations['helm.sh/hook']?.toLowerCase())
  if (helm.length > 0 && !helm.includes('crd-install')) {
    const policies = annotations['helm.sh/hook-delete-policy']?.toLowerCase()
    return hook(helm, HELM, policies, annotations['helm.sh/hook-weight'])
  }
  const argo = names(annotations['argocd.argoproj.io/hook'])
  if (argo.length === 0) return null
  const weight = annotations['argocd.argoproj.io/sync-wave']
  return hook(argo, ARGO, annotations['argocd.argoproj.io/hook-delete-policy'], weight)
}

/** On which sides of an event the hook runs; `pre-install,post-install` is run twice. */
export const sidesOf = ({ runs: all }: Hook, event: HookEvent): HookRun['when'][] => [
  ...new Set(all.filter((run) => run.event === event).map(({ when }) => when)),
]

function hook(
  list: readonly string[],
  table: Names,
  policies: string | undefined,
  weight: string | number | undefined,
): Hook {
  const deleteOn = names(policies).flatMap((name) => POLICIES[name] ?? [])
  const isKnown = (name: string): boolean => Object.hasOwn(table, name)
  return {
    runs: list.flatMap((name) => (isKnown(name) ? (table[name] as HookRun[]) : [])),
    unknown: list.filter((name) => !isKnown(name)),
    weight: Number.isSafeInteger(Number(weight ?? 0)) ? Number(weight ?? 0) : 0,
    deleteOn: deleteOn.length > 0 ? deleteOn : ['before'],
  }
}

const names = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
