import { z } from 'zod'

const relativePath = z.string().min(1).max(500)

/** The `with:` block of a Terraform or OpenTofu stack. Paths are relative to the stack's directory. */
export const TerraformConfig = z.strictObject({
  /** `auto` takes terraform where the worker has it, else tofu. */
  tool: z.enum(['auto', 'terraform', 'tofu']).default('auto'),
  /**
   * Workspace. A backend of the code's own gets it as TF_WORKSPACE; with Trueup's state backend each workspace is a
   * state of its own, and `terraform.workspace` reads `default` in the code (the http backend knows no workspaces).
   */
  workspace: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/, 'letters, digits, dot, dash and underscore')
    .optional(),
  /** Name of the state in Trueup's backend where it shall differ from the workspace. */
  stateName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/, 'letters, digits, dot, dash and underscore')
    .optional(),
  /** Variable files (`.tfvars`, `.tfvars.json`), later ones win. May lie outside the stack, inside the repository. */
  varFiles: z.array(relativePath).max(50).default([]),
  /** Values of root-module variables; stack inputs of the same name win over them. */
  variables: z.record(z.string(), z.json()).default({}),
  /** Settings of the code's own backend, as `-backend-config=KEY=VALUE`. No secrets: put those into variables. */
  backendConfig: z.record(z.string(), z.string()).default({}),
  /** Files given as `-backend-config=FILE`. */
  backendConfigFiles: z.array(relativePath).max(20).default([]),
  /** A directory of unpacked providers inside the repository (filesystem mirror layout), instead of a registry. */
  pluginDir: relativePath.optional(),
  /** A Terraform CLI configuration file inside the repository; the worker's own TF_CLI_CONFIG_FILE where absent. */
  cliConfig: relativePath.optional(),
  /** Operations at once; the tool's own default is 10. */
  parallelism: z.int().min(1).max(256).optional(),
  /** How long apply waits for a state lock that someone else holds. */
  lockTimeout: z
    .string()
    .regex(/^\d+(s|m|h)$/, 'a number with a unit: 30s, 5m')
    .default('30s'),
  /** false plans without reading the real resources: faster, but such a plan finds no drift, and says so. */
  refresh: z.boolean().default(true),
})
export type TerraformConfig = z.infer<typeof TerraformConfig>
