import type { PlannedResource } from '../tool/plan-json.ts'

/** `module.a["x.y"].null_resource.b[0]` → `module.a.null_resource.b` */
export const withoutKeys = (address: string): string => address.replaceAll(/\["(?:[^"\\]|\\.)*"\]|\[\d+\]/g, '')

/** `module.a.null_resource.b` → `null_resource`; `module` for a whole module. */
export function typeOf(address: string): string {
  const local = withoutKeys(address).replace(/^(?:module\.[^.]+\.)+/, '')
  return local.split('.')[0] ?? local
}

/** A deposed object stands beside the current one of the same address; its key makes the address unique. */
export function uniqueAddress(resource: PlannedResource): string {
  return resource.deposed === undefined ? resource.address : `${resource.address} (deposed ${resource.deposed})`
}
