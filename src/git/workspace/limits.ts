import type { WorkspaceLimits } from '../repository.ts'

export const DEFAULT_WORKSPACE_LIMITS: WorkspaceLimits = { maxFiles: 20_000, maxBytes: 512 * 1024 * 1024, maxDepth: 64 }
