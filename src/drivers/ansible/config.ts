import { z } from 'zod'

const relativePath = z.string().min(1).max(500)
const text = z.string().min(1).max(500)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, 'the name of a variable')

/** The `with:` block of an Ansible stack. Paths are relative to the stack's directory and stay inside the repository. */
export const AnsibleConfig = z.strictObject({
  playbook: relativePath.default('site.yml'),
  /** Files, directories or executable scripts; what the stack's ansible.cfg names where absent. */
  inventory: z.union([relativePath, z.array(relativePath).min(1).max(50)]).optional(),
  limit: text.optional(),
  tags: z.array(text).max(100).default([]),
  skipTags: z.array(text).max(100).default([]),
  /** Extra variables; stack inputs of the same name win over them. */
  extraVars: z.record(z.string(), z.json()).default({}),
  /** Variable of the environment that holds the vault's password, or one for each vault id. */
  vaultPassword: z.union([variable, z.record(z.string().regex(/^[\w.-]{1,100}$/), variable)]).optional(),
  /** Variable of the environment that holds the private SSH key. */
  privateKey: variable.optional(),
  user: text.optional(),
  become: z.boolean().optional(),
  becomeUser: text.optional(),
  becomeMethod: text.optional(),
  /** Variable of the environment that holds the password for become. */
  becomePassword: variable.optional(),
  /** File of host keys in the repository; those that the worker knows where absent. */
  knownHosts: relativePath.optional(),
  /** Variable of the environment that holds host keys, instead of a file. */
  knownHostsVariable: variable.optional(),
  forks: z.int().min(1).max(500).optional(),
  /** Seconds until a host that does not answer is given up. */
  timeout: z.int().min(1).max(600).default(10),
  pipelining: z.boolean().default(true),
  /** Requirements file for roles and collections from Galaxy; `false` installs none. */
  requirements: z.union([relativePath, z.literal(false)]).optional(),
  /** Names (globs) of tasks with `check_mode: false` that only read, and so may run in a preview. */
  readOnlyTasks: z.array(text).max(200).default([]),
  /** Whether what check mode cannot run is a change of a preview and a deployment, or only noted as not checked. */
  uncheckable: z.enum(['change', 'note']).default('change'),
  /** The playbook can be applied twice, or after a kill in the middle, with the same end. */
  idempotent: z.boolean().default(false),
})
export type AnsibleConfig = z.infer<typeof AnsibleConfig>

export const inventoriesOf = ({ inventory }: AnsibleConfig): string[] =>
  inventory === undefined ? [] : [inventory].flat()
