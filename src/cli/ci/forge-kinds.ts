/** Forges that a pipeline can talk to. */
export const FORGE_KINDS = ['gitlab', 'github', 'gitea'] as const
export type ForgeKind = (typeof FORGE_KINDS)[number]
