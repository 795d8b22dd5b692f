import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { pathText, type Step } from '../objects/paths.ts'
import { asJson, equalJson, isObject, type KubeObject } from '../objects/object.ts'

/** Functions of charts that give something else each time (https://helm.sh/docs/chart_template_guide/function_list/). */
const RANDOM =
  /\b(rand(Alpha|AlphaNum|Numeric|Ascii|Bytes|Int)|uuidv4|shuffle|now|ago|htpasswd|bcrypt|gen(PrivateKey|CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey))\b/

/** Whether two renderings of a chart may differ. A packed dependency is not looked into: it may. */
export async function mayVary(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((one) => one.isFile())) {
    if (entry.name.endsWith('.tgz')) return true
    if (!/\.(ya?ml|tpl|txt)$/.test(entry.name)) continue
    if (RANDOM.test(await readFile(join(entry.parentPath, entry.name), 'utf8'))) return true
  }
  return false
}

/** Paths at which two renderings of one object differ. */
export function varyingPaths(first: KubeObject, second: KubeObject): string[] {
  const found: string[] = []
  const walk = (a: Json | undefined, b: Json | undefined, steps: readonly Step[]): void => {
    if (equalJson(a, b)) return
    if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
      a.forEach((item, at) => walk(item, b[at], [...steps, at]))
    else if (isObject(a) && isObject(b))
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) walk(a[name], b[name], [...steps, name])
    else found.push(pathText(steps))
  }
  walk(asJson(first), asJson(second), [])
  return found
}

/** The object without what stands at these paths: what is the same in all renderings. */
export function withoutPaths(object: KubeObject, paths: readonly string[]): KubeObject {
  if (paths.length === 0) return object
  const gone = new Set(paths)
  const walk = (value: Json, steps: readonly Step[]): Json => {
    if (Array.isArray(value)) return value.map((item, at) => walk(item, [...steps, at]))
    if (!isObject(value)) return gone.has(pathText(steps)) ? null : value
    const kept: JsonObject = {}
    for (const [name, inner] of Object.entries(value)) {
      const next = [...steps, name]
      if (!gone.has(pathText(next))) kept[name] = walk(inner as Json, next)
    }
    return kept
  }
  return walk(asJson(object), []) as unknown as KubeObject
}
