import { readFileSync } from 'node:fs'

/** The version in package.json, which stands two directories above both `src/lib` and `dist/lib`. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
