import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'

const Attributes = z.record(
  z.string(),
  z.custom<Json>(() => true),
)

/** Policyfile.lock.json, format of Chef Workstation (https://docs.chef.io/policyfile/). */
const PolicyLock = z.looseObject({
  name: z.string(),
  run_list: z.array(z.string()),
  cookbook_locks: z.record(
    z.string(),
    z.looseObject({
      version: z.string(),
      /** Set for cookbooks that lie in the repository: relative to the lock. */
      source: z.string().nullish(),
    }),
  ),
  default_attributes: Attributes.nullish(),
  override_attributes: Attributes.nullish(),
})
export type PolicyLock = z.infer<typeof PolicyLock>

/** @throws SOURCE_INVALID */
export function parsePolicyLock(text: string, path: string): PolicyLock {
  try {
    return PolicyLock.parse(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `reading ${path}`,
      why: 'it is no lock of a Policyfile',
      next: 'Write it anew with `chef install` (or `chef update`) and commit it.',
      details: { file: path },
      cause,
    })
  }
}
