/**
 * Whether a pattern matches a whole text: `*` stands for any run of characters (dots and slashes too), `?` for one.
 * Takes at most |pattern| × |text| steps, unlike a regular expression made of it.
 */
export function glob(pattern: string, text: string): boolean {
  let [p, t] = [0, 0]
  let star = -1
  let retry = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p
      retry = t
      p += 1
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1
      t += 1
    } else if (star >= 0) {
      p = star + 1
      retry += 1
      t = retry
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p += 1
  return p === pattern.length
}
