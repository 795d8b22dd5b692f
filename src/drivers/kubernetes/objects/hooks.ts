import { HOOK, HOOK_DELETE } from './annotations.ts'
import type { KubeObject } from './object.ts'

export type HookEvent = 'install' | 'upgrade' | 'delete'
export type DeletePolicy = 'before' | 'succeeded' | 'failed'

/** An object that is run with a change of the stack instead of being kept in sync. */
export interface Hook {
  when: 'before' | 'after'
  events: readonly HookEvent[]
  /** Lower ones first. */
  weight: number
  /** When its last object is deleted. */
  deleteOn: readonly DeletePolicy[]
}

const CHANGES: readonly HookEvent[] = ['install', 'upgrade']

/** https://helm.sh/docs/topics/charts_hooks/; rollbacks are merges here, so their hooks do not exist. */
const HELM: { readonly [name: string]: Pick<Hook, 'when' | 'events'> } = {
  'pre-install': { when: 'before', events: ['install'] },
  'pre-upgrade': { when: 'before', events: ['upgrade'] },
  'post-install': { when: 'after', events: ['install'] },
  'post-upgrade': { when: 'after', events: ['upgrade'] },
  'pre-delete': { when: 'before', events: ['delete'] },
  'post-delete': { when: 'after', events: ['delete'] },
}
/** https://argo-cd.readthedocs.io/en/stable/user-guide/resource_hooks/ */
const ARGO: { readonly [name: string]: Pick<Hook, 'when' | 'events'> } = {
  PreSync: { when: 'before', events: CHANGES },
  Sync: { when: 'after', events: CHANGES },
  PostSync: { when: 'after', events: CHANGES },
  PreDelete: { when: 'before', events: ['delete'] },
  PostDelete: { when: 'after', events: ['delete'] },
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

/** The hook that an object is; null for ordinary ones, `never` for hooks of events that do not exist here. */
export function hookOf(object: KubeObject): Hook | null | 'never' {
  const annotations = object.metadata.annotations ?? {}
  const own = annotations[HOOK]?.trim()
  if (own === 'before' || own === 'after') return hook([{ when: own, events: CHANGES }], annotations[HOOK_DELETE], 0)
  const helm = names(annotations['helm.sh/hook'])
  if (helm.length > 0 && !helm.includes('crd-install')) {
    return hook(known(helm, HELM), annotations['helm.sh/hook-delete-policy'], annotations['helm.sh/hook-weight'])
  }
  const argo = names(annotations['argocd.argoproj.io/hook'])
  if (argo.length === 0) return null
  const weight = annotations['argocd.argoproj.io/sync-wave']
  return hook(known(argo, ARGO), annotations['argocd.argoproj.io/hook-delete-policy'], weight)
}

function hook(
  found: readonly Pick<Hook, 'when' | 'events'>[],
  policies: string | undefined,
  weight: string | number | undefined,
): Hook | 'never' {
  const [first] = found
  if (!first) return 'never'
  const same = found.filter(({ when }) => when === first.when)
  const deleteOn = names(policies).flatMap((name) => POLICIES[name] ?? [])
  return {
    when: first.when,
    events: [...new Set(same.flatMap(({ events }) => events))],
    weight: Number.isSafeInteger(Number(weight ?? 0)) ? Number(weight ?? 0) : 0,
    deleteOn: deleteOn.length > 0 ? deleteOn : ['before'],
  }
}

const names = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)

const known = <T>(list: readonly string[], table: { readonly [name: string]: T }): T[] =>
  list.flatMap((name) => (Object.hasOwn(table, name) ? [table[name] as T] : []))
