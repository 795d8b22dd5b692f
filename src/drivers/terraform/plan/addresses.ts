/** `module.a["x.y"].null_resource.b[0]` → `module.a.null_resource.b` */
export const withoutKeys = (address: string): string => address.replaceAll(/\["(?:[^"\\]|\\.)*"\]|\[\d+\]/g, '')

/** `module.a.null_resource.b` → `null_resource`; `module` for a whole module. */
export function typeOf(address: string): string {
  const local = withoutKeys(address).replace(/^(?:module\.[^.]+\.)+/, '')
  return local.split('.')[0] ?? local
}
