import { z } from 'zod'
import { hostSettings } from '../hosts/config.ts'

const relativePath = z.string().min(1).max(500)

/** The `with:` block of a Chef stack. Paths are relative to the stack's directory. */
export const ChefConfig = z.strictObject({
  ...hostSettings,
  /** `auto` takes chef-client where the host has it, else cinc-client. */
  client: z.enum(['auto', 'chef-client', 'cinc-client']).default('auto'),
  /** What to run: `recipe[web]`, `role[base]`. A Policyfile.lock.json gives it where absent. */
  runList: z
    .array(
      z.string().regex(/^(recipe|role)\[[\w:.@-]+\]$|^[\w:-]+$/, 'recipe[NAME], role[NAME], or the name of a recipe'),
    )
    .min(1)
    .max(200)
    .optional(),
  /** A Policyfile.lock.json; that of the stack's directory where absent and there is one. */
  policyLock: relativePath.optional(),
  /** Directories of cookbooks, later ones win; those that do not exist are left out. */
  cookbooks: z.array(relativePath).max(20).default(['cookbooks']),
  /** Directory of roles. */
  roles: relativePath.default('roles'),
  /** Directory of data bags. */
  dataBags: relativePath.default('data_bags'),
  /** Attributes of the node, over those of cookbooks. */
  attributes: z.record(z.string(), z.json()).default({}),
  /** A JSON file with such attributes; `attributes` wins over it. */
  attributesFile: relativePath.optional(),
  /** Seconds that a run waits for another run of Chef on the host. */
  lockTimeout: z.int().min(0).max(3600).default(60),
})
export type ChefConfig = z.infer<typeof ChefConfig>
