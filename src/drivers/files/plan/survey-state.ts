import type { Coverage, Finding } from '../../../domain/plans/plan.ts'
import type { Step } from './compare.ts'
import type { Inventory, OwnNames } from '../host/inventory.ts'
import type { WantedTree } from '../source/source.ts'
import type { Target } from '../host/target.ts'

/** The target compared with Git: what to do, and what could not be looked at. */
export interface Survey {
  target: Target
  wanted: WantedTree
  names: OwnNames
  inventory: Inventory
  /** In the order of their addresses. */
  steps: Step[]
  coverage: Coverage
  findings: Finding[]
}
