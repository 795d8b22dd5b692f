import { join } from 'node:path'

/** The built web application, at the same place from `src/server` and from `dist/server`. May be missing in a checkout. */
export const WEB_ROOT = join(import.meta.dirname, '..', '..', 'web', 'dist')
