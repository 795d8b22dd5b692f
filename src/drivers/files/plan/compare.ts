import type { AttributeChange, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json } from '../../../lib/json.ts'
import type { Accounts } from '../host/accounts.ts'
import { fileId, type IdFormat, SHOWN_BYTES, shown, shownFile } from '../host/content.ts'
import { errorCode } from '../host/host-tree.ts'
import type { Live, Status } from '../host/live.ts'
import type { WantedEntry, WantedFile } from '../source/source.ts'
import { withLines } from './secret-lines.ts'

/** One change, with what apply needs to make it and to see that nothing has moved since. */
export interface Step {
  change: ResourceChange
  /** Below the target; absolute for `above`, the command for `reload`. */
  path: string
  /** `above`: a directory above the target. `attributes` changes mode and owner in place. `reload`: a command is due. */
  act: 'above' | 'write' | 'link' | 'directory' | 'attributes' | 'delete' | 'reload'
  wanted?: WantedEntry
  live: Live
  /** Stands where Git has something else, so it goes before anything is written. */
  inTheWay?: boolean
}

export interface Comparison {
  accounts: Accounts
  format: IdFormat
  ignored(address: string, attribute: string): boolean
  hash(value: Json): string
  /** A look for drift: who owns what is there now is told. */
  tellsOwner: boolean
  /** The stack's `showSecretDiff`. */
  showSecretDiff: boolean
  wantedId(wanted: WantedFile): string
  /** Whether the live file's content is what Git wants. */
  sameContent(wanted: WantedFile, status: Status): boolean
  /** Path of a live entry for `fs` calls, right now. */
  livePath(relative: string): string
  /** Bytes of content that the plan may still show as text; shared by all files. */
  budget: { bytes: number }
}

/** The change that makes `live` what is `wanted`, or null. Throws system errors of reading the live file. */
export function compareEntry(wanted: WantedEntry, live: Live, address: string, using: Comparison): Step | null {
  if (live.kind === 'unreadable') return null
  if (live.kind === 'absent')
    return step(wanted, live, address, { action: 'create', attributes: describe(wanted, using) })
  if (live.kind !== wanted.kind) {
    const attributes = [{ path: 'type', before: live.kind, after: wanted.kind }, ...describe(wanted, using)]
    const reason = `${a(live.kind)} is where Git has ${a(wanted.kind)}`
    return step(wanted, live, address, { action: 'replace', attributes, reason, ...ownerOf(live, using) })
  }
  const attributes = differences(wanted, live, using).filter(({ path }) => !using.ignored(address, path))
  if (attributes.length === 0) return null
  const rewritten = attributes.some(({ path }) => path === 'content' || path === 'target')
  const found = step(wanted, live, address, { action: 'update', attributes, ...ownerOf(live, using) })
  return rewritten ? found : { ...found, act: 'attributes' }
}

/** The removal of what Git does not have. `content` tells people what would be lost. */
export function removal(path: string, live: Live, address: string, reason: string, using: Comparison): Step {
  const attributes: AttributeChange[] = []
  if (live.kind === 'file') {
    const sensitive = isPrivate(live.status.mode)
    const before = readable(() => liveContent(path, live.status, sensitive, using))
    if (before !== undefined) attributes.push(attribute('content', before, undefined, sensitive))
  }
  if (live.kind === 'symlink') attributes.push({ path: 'target', before: live.target })
  const change: ResourceChange = {
    address,
    type: live.kind === 'absent' || live.kind === 'unreadable' ? 'file' : live.kind,
    actions: ['delete'],
    attributes,
    cause: 'config',
    reason,
    ...ownerOf(live, using),
  }
  return { change, path, act: 'delete', live }
}

/** Removing a file does not take reading it. */
function readable(content: () => string): string | undefined {
  try {
    return content()
  } catch (error) {
    if (errorCode(error) === '') throw error
    return undefined
  }
}

/** Files that "others" may not read keep their content to the worker. */
const isPrivate = (...modes: number[]): boolean => modes.some((mode) => (mode & 0o004) === 0)

const a = (kind: string): string => (kind === 'symlink' ? 'a symbolic link' : `a ${kind}`)

export const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`

const ACTS = { file: 'write', symlink: 'link', directory: 'directory' } as const

function step(
  wanted: WantedEntry,
  live: Live,
  address: string,
  {
    action,
    ...more
  }: { action: 'create' | 'update' | 'replace' } & Pick<ResourceChange, 'attributes' | 'reason' | 'by'>,
): Step {
  const change: ResourceChange = { address, type: wanted.kind, actions: [action], cause: 'config', ...more }
  return { change, path: wanted.path, act: ACTS[wanted.kind], wanted, live }
}

/**
 * Whose it is now and when it was last touched: whoever writes a file anew owns it. The time is the inode's, which nobody sets;
 * that of the content is copied along by `cp -p`, rsync and tar.
 */
function ownerOf(live: Live, { tellsOwner, accounts }: Comparison): Pick<ResourceChange, 'by'> {
  if (!tellsOwner || !('status' in live)) return {}
  const { uid, ctimeMs } = live.status
  return { by: { how: 'owner', who: accounts.userName(uid), at: Math.floor(ctimeMs) } }
}

/** Every attribute of an entry that is to be made. */
function describe(wanted: WantedEntry, using: Comparison): AttributeChange[] {
  const attributes: AttributeChange[] = []
  if (wanted.kind === 'file') {
    const sensitive = wanted.sensitive ?? isPrivate(wanted.mode)
    const content = attribute('content', undefined, wantedContent(wanted, sensitive, using), sensitive)
    attributes.push(sensitive ? withLines(content, wanted, null, using) : content)
  }
  if (wanted.kind === 'symlink') attributes.push({ path: 'target', after: wanted.target })
  else if (wanted.mode !== undefined) attributes.push({ path: 'mode', after: octal(wanted.mode) })
  if (wanted.uid !== undefined) attributes.push({ path: 'owner', after: using.accounts.userName(wanted.uid) })
  if (wanted.gid !== undefined) attributes.push({ path: 'group', after: using.accounts.groupName(wanted.gid) })
  return attributes
}

function differences(wanted: WantedEntry, live: Live & { status: Status }, using: Comparison): AttributeChange[] {
  const attributes: AttributeChange[] = []
  const { status } = live
  if (wanted.kind === 'file' && !using.sameContent(wanted, status)) {
    const sensitive = wanted.sensitive ?? isPrivate(wanted.mode, status.mode)
    const before = liveContent(wanted.path, status, sensitive, using)
    const content = attribute('content', before, wantedContent(wanted, sensitive, using), sensitive)
    attributes.push(sensitive ? withLines(content, wanted, live.status, using) : content)
  }
  if (wanted.kind === 'symlink' && live.kind === 'symlink' && live.target !== wanted.target) {
    attributes.push({ path: 'target', before: live.target, after: wanted.target })
  }
  if (wanted.kind !== 'symlink' && wanted.mode !== undefined && wanted.mode !== status.mode) {
    attributes.push({ path: 'mode', before: octal(status.mode), after: octal(wanted.mode) })
  }
  const { userName, groupName } = using.accounts
  if (wanted.uid !== undefined && wanted.uid !== status.uid) {
    attributes.push({ path: 'owner', before: userName(status.uid), after: userName(wanted.uid) })
  }
  if (wanted.gid !== undefined && wanted.gid !== status.gid) {
    attributes.push({ path: 'group', before: groupName(status.gid), after: groupName(wanted.gid) })
  }
  return attributes
}

function attribute(
  path: string,
  before: string | undefined,
  after: string | undefined,
  sensitive: boolean,
): AttributeChange {
  const found: AttributeChange = { path }
  if (before !== undefined) found.before = before
  if (after !== undefined) found.after = after
  if (sensitive) found.sensitive = true
  return found
}

function wantedContent(wanted: WantedFile, sensitive: boolean, using: Comparison): string {
  if (sensitive) return using.hash(using.wantedId(wanted))
  const limit = spend(wanted.size, using)
  return wanted.rendered ? shown(wanted.rendered, limit) : shownFile(wanted.origin, limit)
}

function liveContent(path: string, { size }: Status, sensitive: boolean, using: Comparison): string {
  if (sensitive) return using.hash(fileId(using.livePath(path), size, using.format))
  return shownFile(using.livePath(path), spend(size, using))
}

/** How many bytes may be shown as text: none once the plan holds enough of it. */
function spend(size: number, { budget }: Comparison): number {
  if (size > SHOWN_BYTES || size > budget.bytes) return 0
  budget.bytes -= size
  return SHOWN_BYTES
}
