import type { Json } from '../../../lib/json.ts'

/** Members whose values are quantities (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */
const HOLDERS = new Set(
  'requests limits hard capacity default defaultRequest min max maxLimitRequestRatio overhead'.split(' '),
)
const MEMBERS = new Set(['sizeLimit', 'divisor'])

const FACTORS: { readonly [suffix: string]: number } = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** Whether a member below `parent` is a quantity: the server writes `0.1` as `100m`. */
export const isQuantity = (parent: string, member: string): boolean => HOLDERS.has(parent) || MEMBERS.has(member)

/** Two spellings of one quantity. */
export function sameQuantity(a: Json | undefined, b: Json | undefined): boolean {
  const [left, right] = [amount(a), amount(b)]
  return left !== null && right !== null && Math.abs(left - right) <= Math.abs(left) * 1e-12
}

function amount(value: Json | undefined): number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return null
  const [, digits, suffix = '', exponent] =
    /^([+-]?\d*\.?\d+)(?:(n|u|m|k|[KMGTPE]i?)|[eE]([+-]?\d+))?$/.exec(value) ?? []
  const factor = exponent === undefined ? FACTORS[suffix] : 10 ** Number(exponent)
  return digits === undefined || factor === undefined ? null : Number(digits) * factor
}
