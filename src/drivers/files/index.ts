import type { Driver } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { codify } from './plan/codify.ts'
import { FilesConfig } from './config.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { place } from './place.ts'
import { plan } from './plan/plan.ts'
import { validate } from './validate.ts'
import { watch } from './watch/watch.ts'

/** A tree in Git against a directory on the worker's host. */
export const filesDriver: Driver<FilesConfig> = {
  name: 'files',
  capabilities: {
    destroy: true,
    watch: true,
    codify: true,
    idempotentApply: true,
    planValidates: false,
  },
  config: FilesConfig,
  executables,
  keepsLinks: ({ links }) => links === 'keep',
  detect,
  dependencies: () => Promise.resolve([]), // Everything lies in the stack's own directory.
  place,
  versions: () => Promise.resolve({}), // No tool but the worker itself.
  validate,
  plan,
  apply,
  watch,
  codify,
}
