/** Harmless faults that old tools left in the histories of well-known repositories. */
const EXCUSED = [
  'zeroPaddedFilemode',
  'badTimezone',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingNameBeforeEmail',
  'missingEmail',
  'badDateOverflow',
]

/**
 * Settings of every git process, handed over by the environment: they hold for all repositories at once, including those
 * made by an older version, and no file of the machine or of a user can change them.
 */
const SETTINGS: [string, string][] = [
  ['safe.directory', '*'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.quotePath', 'false'],
  // What a push or a merge acknowledged must survive a power cut: objects, packs and refs are synced; the directories
  // that name them by child/durability.ts, because git does not. A push of one file takes 148 ms with it and 124 ms
  // without (ext4, busy two-core machine, 23 Nov 2026), of which the directories are 1 ms.
  ['core.fsync', 'objects,derived-metadata,reference'],
  ['core.fsyncMethod', 'fsync'],
  // A lock whose git was killed stands until the sweep of child/main.ts finds it 10 s old: who comes meanwhile waits for
  // that instead of being told to remove a file. Locks of living processes are gone after milliseconds.
  ['core.filesRefLockTimeout', '12000'],
  ['core.packedRefsTimeout', '12000'],
  // Larger files are neither compared line by line nor packed as deltas: both take several times their size in memory.
  ['core.bigFileThreshold', '32m'],
  ['pack.windowMemory', '128m'],
  ['pack.deltaCacheSize', '64m'],
  ['diff.renameLimit', '1000'],
  ['merge.renameLimit', '2000'],
  // Packing happens in `maintain()`, not behind the back of a push.
  ['gc.auto', '0'],
  ['receive.autogc', 'false'],
  ['maintenance.auto', 'false'],
  ['gc.autoDetach', 'false'],
  ['http.receivepack', 'true'],
  ['http.uploadpack', 'true'],
  ['http.getanyfile', 'false'],
  ['receive.advertisePushOptions', 'true'],
  ['receive.denyDeletes', 'false'],
  ['receive.denyNonFastForwards', 'false'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.hideRefs', 'refs/trueup'],
  // Damaged or hostile objects are refused on the way in (`.git` entries, bad submodule files, broken trees).
  ['transfer.fsckObjects', 'true'],
  ...['receive', 'fetch'].flatMap((way) =>
    EXCUSED.map((fault): [string, string] => [`${way}.fsck.${fault}`, 'ignore']),
  ),
]

export interface GitEnvironment {
  [name: string]: string
}

/** The whole environment of a git process; nothing of the server's own is inherited but PATH and TMPDIR. */
export function gitEnvironment(hooksPath: string, settings: readonly [string, string][] = []): GitEnvironment {
  const environment: GitEnvironment = {
    // Hooks call what every system has there, whatever the server's own PATH leaves out.
    PATH: [process.env['PATH'], '/usr/local/bin:/usr/bin:/bin'].filter(Boolean).join(':'),
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_PAGER: 'cat',
    GIT_COMMITTER_NAME: 'Trueup',
    GIT_COMMITTER_EMAIL: 'trueup@localhost',
    GIT_AUTHOR_NAME: 'Trueup',
    GIT_AUTHOR_EMAIL: 'trueup@localhost',
  }
  const tmp = process.env['TMPDIR']
  if (tmp) environment['TMPDIR'] = tmp
  return withSettings(environment, [...SETTINGS, ['core.hooksPath', hooksPath], ...settings])
}

/** A copy with more `git -c` settings; later ones win. */
export function withSettings(environment: GitEnvironment, settings: readonly [string, string][]): GitEnvironment {
  const first = Number(environment['GIT_CONFIG_COUNT'] ?? 0)
  const result: GitEnvironment = { ...environment, GIT_CONFIG_COUNT: String(first + settings.length) }
  for (const [index, [key, value]] of settings.entries()) {
    result[`GIT_CONFIG_KEY_${first + index}`] = key
    result[`GIT_CONFIG_VALUE_${first + index}`] = value
  }
  return result
}
