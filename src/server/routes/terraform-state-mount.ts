import { makeTerraformStates } from '../../engine/state-backend/state-backend.ts'
import { stateAccess } from './state-access.ts'
import type { RouteModule } from '../parts.ts'
import { terraformStateRoutes } from './terraform-state.ts'

/** Terraform's state backend on the store, in a scope of its own: its bodies are raw and its errors are Terraform's. */
export const terraformStateModule: RouteModule<'store' | 'keys'> = (app, parts) => {
  void app.register(terraformStateRoutes, { states: makeTerraformStates(parts), stateAccess: stateAccess(parts) })
}
