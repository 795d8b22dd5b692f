/** A step of a path: a member's name or an index. */
export type Step = string | number

const PLAIN = /^[A-Za-z_][\w-]*$/

/** `spec.ports[0].port`, `metadata.annotations["a.b/c"]`, as everywhere in plans. */
export function pathText(steps: readonly Step[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`
    if (!PLAIN.test(step)) return `${path}[${JSON.stringify(step)}]`
    return path === '' ? step : `${path}.${step}`
  }, '')
}

/** The steps of a path that `pathText` wrote. */
export function stepsOf(path: string): Step[] {
  const parts = path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)
  return [...parts].map(([, index, quoted, name]) => {
    if (index !== undefined) return Number(index)
    return quoted === undefined ? (name ?? '') : (JSON.parse(quoted) as string)
  })
}

/** RFC 6901. */
export const pointerOf = (steps: readonly Step[]): string =>
  steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
