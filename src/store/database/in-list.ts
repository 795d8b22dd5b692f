/** How many values lists in statements have: each size is a statement of its own, which is prepared and kept. */
const SIZES = [1, 4, 16, 50, 200]
/** The most that one list takes. */
export const MOST_IN_LIST = 200

/** The same values, some of them twice, so that lists of all lengths are a few statements. Not empty, at most `MOST_IN_LIST`. */
export function inList(values: readonly string[]): string[] {
  const size = SIZES.find((each) => each >= values.length)
  if (size === undefined || values.length === 0) throw new RangeError(`a list of ${values.length} values`)
  return [...values, ...Array.from({ length: size - values.length }, () => values[0]!)]
}
