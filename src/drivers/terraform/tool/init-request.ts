import type { BackendChoice } from './backend.ts'
import type { TerraformTool } from './tool.ts'

export interface InitRequest {
  tool: TerraformTool
  env: { [name: string]: string }
  backend: BackendChoice
  dataDirectory: string
  /** Take nothing from the cache: what was there did not fit. */
  fresh?: boolean
}
