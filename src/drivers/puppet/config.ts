import { z } from 'zod'
import { hostSettings } from '../hosts/config.ts'

const relativePath = z.string().min(1).max(500)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'the name of a variable')

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
  /** How git reads private modules of the Puppetfile. */
  puppetfileAccess: z
    .strictObject({
      /** Name of the variable that holds a private key for SSH. */
      key: variable.optional(),
      /** A known_hosts file, relative to the stack's directory; that of the worker's own account where absent. */
      knownHosts: relativePath.optional(),
      /** Name of the variable that holds a token for HTTPS. */
      token: variable.optional(),
      /** Account that goes with the token. */
      user: z
        .string()
        .regex(/^[\w.@+-]{1,100}$/, 'the name of an account')
        .default('git'),
    })
    .prefault({}),
  /** Runs the linter in `validate` where the worker has it. */
  lint: z.boolean().default(true),
  /** Seconds that an apply waits for another run of Puppet on the host. */
  lockTimeout: z.int().min(0).max(3600).default(60),
})
export type PuppetConfig = z.infer<typeof PuppetConfig>
