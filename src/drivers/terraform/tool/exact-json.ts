/** Numbers of more digits than this may not survive as a JavaScript number. */
const MANY_DIGITS = /\d{16}/
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown

/**
 * `JSON.parse` that loses no digits: Terraform's numbers have 512 bits. One that does not fit is the text of it, which the
 * tools take for the same number again. Rounded, 90071992547409931 and 90071992547409932 would be one approved value.
 */
export function parseExactly(text: string): unknown {
  return MANY_DIGITS.test(text) ? JSON.parse(text, exactly as Parameters<typeof JSON.parse>[1]) : JSON.parse(text)
}

const exactly: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && MANY_DIGITS.test(source) && String(value) !== source
    ? source
    : value
