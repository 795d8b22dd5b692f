import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Inventory } from './inventory.ts'
import type { Survey } from './survey.ts'
import type { Wanted } from './wanted.ts'

export interface HookRequest {
  context: DriverContext<KubernetesConfig>
  survey: Survey
  wanted: readonly Wanted[]
  /** What is there of the ordinary objects. */
  live: ReadonlyMap<string, KubeObject>
  inventory: Inventory
  desired: string
}
