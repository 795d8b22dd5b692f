import { z } from 'zod'

const relativePath = z.string().min(1).max(500)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'the name of a variable')

/** One machine. `address` may be taken from another stack's output: `${inputs.web_ip}`, also when that is a list. */
const HostEntry = z.strictObject({
  /** How plans call it; the address where absent. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dot, dash and underscore')
    .optional(),
  address: z
    .string()
    .regex(
      /^([A-Za-z0-9][A-Za-z0-9.:_%-]{0,252}|\$\{inputs\.[A-Za-z_][\w.-]*\})$/,
      'a host name, an IP address, or ${inputs.NAME}',
    ),
  port: z.int().min(1).max(65_535).optional(),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'the name of an account')
    .optional(),
})
export type HostEntry = z.infer<typeof HostEntry>

const SshSettings = z.strictObject({
  /** Account on the hosts that name none. */
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'the name of an account')
    .default('root'),
  /** Name of the variable that holds the private key; the keys of the worker's own account where absent. */
  identity: variable.optional(),
  /** A known_hosts file, relative to the stack's directory. Host keys are always checked. */
  knownHosts: relativePath.optional(),
  /** Name of the variable that holds the text of a known_hosts file. */
  knownHostsVariable: variable.optional(),
  /** Runs as root by `sudo -n` on the host. */
  sudo: z.boolean().default(false),
  /** Seconds until a host that does not answer counts as unreachable. */
  connectTimeout: z.int().min(1).max(300).default(10),
})
export type SshSettings = z.infer<typeof SshSettings>

/** Members that every driver of hosts adds to its `with:` block. */
export const hostSettings = {
  /** Where to work: the worker's own machine, or machines over SSH. */
  hosts: z.union([z.literal('local'), z.array(HostEntry).min(1).max(500)]).default('local'),
  ssh: SshSettings.prefault({}),
  /** Hosts at once. */
  parallel: z.int().min(1).max(100).default(10),
  /** Names of variables that the tool sees on the host too; the worker's own machine has all of them anyway. */
  variables: z.array(variable).max(100).default([]),
}

const HostSettings = z.object(hostSettings)
export type HostSettings = z.infer<typeof HostSettings>
