import { posix } from 'node:path'
import { z } from 'zod'
import { Duration } from '../../domain/config/schema.ts'
import { Glob } from '../paths/glob.ts'

const mode = z.string().regex(/^0?[0-7]{3,4}$/, 'an octal mode: 0644, 750, 2775')
/** A name from the host's account database, or a number. */
const account = z.union([
  z.string().regex(/^[a-zA-Z0-9_.][a-zA-Z0-9_.@-]{0,63}\$?$/),
  z.int().min(0).max(4_294_967_294),
])

const FileRule = z.strictObject({
  /** Glob over paths below the target; one that ends in `/` speaks of directories (`conf.d/`, `./` is the target). */
  match: Glob,
  mode: mode.optional(),
  owner: account.optional(),
  group: account.optional(),
  /** Substitute `${inputs.NAME}` and `${variables.NAME}` in the content. */
  template: z.boolean().optional(),
  /**
   * Content leaves the worker only as a keyed hash. Default: true where "others" may not read the file (by its wanted or
   * its live mode) or a secret is substituted into it.
   */
  sensitive: z.boolean().optional(),
})

const Reload = z.strictObject({
  run: z.string().min(1).max(4000),
  /** Globs; the command runs when a changed path matches one. Every change where absent. */
  when: z.array(Glob).optional(),
  timeout: Duration.optional(),
})

const Check = z.strictObject({
  /** `{file}` is the staged file, `{tree}` a complete copy of the wanted tree; both come quoted for the shell. */
  run: z.string().min(1).max(4000),
  /** Globs of the files to check. Every changed file where absent. */
  match: z.array(Glob).optional(),
  timeout: Duration.optional(),
})

const target = z
  .string()
  .max(4096)
  .refine((path) => path.startsWith('/'), 'an absolute path')
  .refine((path) => !path.split('/').includes('..') && !path.includes('\0'), 'a path without `..`')
const source = z
  .string()
  .max(1000)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'a directory inside the stack')

/** `with:` of a `files` stack. */
export const FilesConfig = z
  .strictObject({
    /** The directory on the worker's host. May hold `${inputs.NAME}`. */
    target,
    /** Directory inside the stack whose tree is the wanted one. */
    source: source.default('.'),
    /** What happens to files that Git does not have: kept; removed when this stack once placed them; removed. */
    prune: z.enum(['none', 'listed', 'all']).default('none'),
    /** Paths that this stack never writes, compares or removes. */
    exclude: z.array(Glob).max(500).default([]),
    /** `keep`: symbolic links that lead out of the repository are placed as they are; otherwise they are refused. */
    links: z.enum(['refuse', 'keep']).default('refuse'),
    owner: account.optional(),
    group: account.optional(),
    /** Later rules win, attribute by attribute. */
    rules: z.array(FileRule).max(500).default([]),
    /** True: every `*.tmpl`, written without the suffix. Or globs over paths in Git. */
    templates: z.union([z.boolean(), z.array(Glob).max(500)]).default(false),
    /** Run after all changes; a command that has not succeeded yet is part of the next plan. */
    reload: z.union([z.string().min(1).max(4000), z.array(Reload).max(50)]).default([]),
    /** Run on the staged files before the first of them is put in place. */
    check: z.union([z.string().min(1).max(4000), z.array(Check).max(50)]).default([]),
    /** How often everything is hashed afresh, whatever the stat cache says. `0s`: always. */
    auditEvery: Duration.default('24h'),
    /** The target itself may be a symbolic link. What lies below it is never followed. */
    followTargetSymlink: z.boolean().default(false),
  })
  .refine((config) => config.prune !== 'all' || !SYSTEM_DIRECTORIES.has(posix.resolve(config.target)), {
    path: ['prune'],
    message: '`all` would empty a system directory of everything Git does not have: name a directory of its own',
  })

/** Roots that are never one stack's alone. */
const SYSTEM_DIRECTORIES = new Set(
  '/ /bin /boot /dev /etc /home /lib /lib64 /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var /var/lib /etc/systemd/system'.split(
    ' ',
  ),
)

export type FilesConfig = z.infer<typeof FilesConfig>
export type FileRule = z.infer<typeof FileRule>

export interface Command {
  run: string
  /** Globs; undefined matches every path. */
  match?: string[]
  timeout?: string
}

export const reloadCommands = ({ reload }: FilesConfig): Command[] =>
  typeof reload === 'string' ? [{ run: reload }] : reload.map(({ when, ...rest }) => ({ ...rest, match: when }))

export const checkCommands = ({ check }: FilesConfig): Command[] =>
  typeof check === 'string' ? [{ run: check }] : check
