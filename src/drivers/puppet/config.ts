import { z } from 'zod'
import { hostSettings } from '../hosts/config.ts'

const relativePath = z.string().min(1).max(500)

/** The `with:` block of a Puppet stack. Paths are relative to the stack's directory. */
export const PuppetConfig = z.strictObject({
  ...hostSettings,
  /** A manifest, or a directory of manifests, which are read in the order of their names. */
  manifest: relativePath.optional(),
  /** Directories of modules, earlier ones win; those that do not exist are left out. */
  modulepath: z.array(relativePath).max(20).optional(),
  /** A hiera.yaml that is no `hiera.yaml` of the stack's directory, which Puppet reads by itself. */
  hiera: relativePath.optional(),
  /** Puppet's environment; Trueup's, with dashes as underscores, where absent. */
  environment: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/, 'lower case letters, digits and underscore')
    .optional(),
  /** Installs the modules of the stack's Puppetfile by r10k; false leaves the file to others. */
  puppetfile: z.boolean().default(true),
  /** Runs the linter in `validate` where the worker has it. */
  lint: z.boolean().default(true),
  /** Seconds that an apply waits for another run of Puppet on the host. */
  lockTimeout: z.int().min(0).max(3600).default(60),
})
export type PuppetConfig = z.infer<typeof PuppetConfig>
