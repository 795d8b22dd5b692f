import type { LeftOut } from '../../drivers/proposal.ts'
import type { Json } from '../../lib/json.ts'

/** Tools whose configuration is read. */
export const TOOLS = ['atlantis', 'terrateam', 'digger', 'argocd', 'flux'] as const
export type Tool = (typeof TOOLS)[number]

/** One thing that the other tool deploys, in Trueup's words. */
export interface Project {
  /** Directory from the root of the repository. */
  path: string
  driver: string
  /** As the other tool calls it, where it does. */
  name?: string
  /** Where the other tool says it; else the path is looked at. */
  environment?: string
  with: { [key: string]: Json }
  /** Names or directories of projects that come before it. */
  needs: string[]
  /** Projects of a lower group come before those of a higher one. */
  group?: number
  /** Globs from the root, of files outside of its directory. */
  watch: string[]
  toolVersion?: string
  /** Approvals that it asks for; absent where it says nothing. */
  approvals?: number
  why: string
  /** Why a person must look first. */
  danger?: string
}

/** How the other tool looks for drift. */
export interface DriftRule {
  mode: 'observe' | 'enforce'
  interval?: string
}

/** What the configuration of one tool says. */
export interface Imported {
  tool: Tool
  /** Files that were read. */
  files: string[]
  projects: Project[]
  /** What it says and Trueup does not, or otherwise: where it stands, and what to do instead. */
  noEqual: LeftOut[]
  drift?: DriftRule
}

/** An empty project of Terraform. */
export const terraformProject = (path: string, why: string): Project => ({
  path,
  driver: 'terraform',
  with: {},
  needs: [],
  watch: [],
  why,
})
