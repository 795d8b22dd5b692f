import { z } from 'zod'

/** What a backup directory holds: `trueup.db`, `keys/…`, `repositories/…`, and this list as `manifest.json`. */
export const MANIFEST_FILE = 'manifest.json'

/** A path below the backup's directory: relative, no empty, `.` or `..` parts, so that a restore stays inside. */
const BackupPath = z
  .string()
  .max(4096)
  .refine((path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'), 'leaves the backup')
  .refine((path) => !path.includes('\0'), 'holds a NUL')

export const BackupFile = z.object({
  path: BackupPath,
  size: z.int().min(0),
  /** Permission bits. */
  mode: z.int().min(0).max(0o777),
  /** Of the content, 64 hex digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type BackupFile = z.infer<typeof BackupFile>

/** A repository that was damaged when it was backed up: what could be read of it is there. */
export const DamagedRepository = z.object({ repository: z.string(), why: z.string() })
export type DamagedRepository = z.infer<typeof DamagedRepository>

export const BackupManifest = z.object({
  format: z.literal(1),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  /** Git needs some directories (`refs`, `objects`) also where they are empty. */
  directories: z.array(BackupPath),
  files: z.array(BackupFile),
  damaged: z.array(DamagedRepository).default([]),
})
export type BackupManifest = z.infer<typeof BackupManifest>
