import { z } from 'zod'
import { parseEndpoint } from '../sandbox/endpoint.ts'
import { SignaturesConfig, SignerList } from '../signatures/config.ts'
import { WindowConfig } from '../windows/config.ts'

/**
 * The shape of `trueup.yaml`. Unknown keys are errors (with a suggestion, see `parse.ts`): a misspelt gate must not
 * silently be no gate. `schema/trueup.schema.json` is generated from this and checked equal to it; the descriptions are
 * what editors show.
 */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore, at most 63')
const stackName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'letters, digits, dot, dash, underscore and slash')
/** A stack name that may hold the placeholders of `stacks/naming.ts`: `{path}`, `{dir}`, `{1}`. */
const stackNameTemplate = z
  .string()
  .max(200)
  .regex(
    /^(?:[A-Za-z0-9]|\{(?:path|dir|[1-9])\})(?:[A-Za-z0-9._/-]|\{(?:path|dir|[1-9])\})*$/,
    'letters, digits, dot, dash, underscore, slash, and the placeholders {path}, {dir}, {1}…{9}',
  )
/** `90s`, `10m`, `2h`, `1d`; parsed by `domain/duration.ts` into milliseconds. */
export const Duration = z.string().regex(/^\d+(ms|s|m|h|d)$/, 'a number with a unit: 90s, 10m, 2h, 1d')
const stringMap = z.record(z.string(), z.string())
/** The variable of a token; with `_FILE` behind it the variable of its file. */
const tokenName = z
  .string()
  .regex(/^(?!TRUEUP_)[A-Z][A-Z0-9_]{0,62}$/, 'capital letters, digits and underscores, and not TRUEUP_…')
const audience = z.string().min(1).max(500)

export const DriftConfig = z.strictObject({
  mode: z
    .enum(['observe', 'propose', 'enforce'])
    .optional()
    .describe('What to do about drift: show it, open a merge request about it, or overwrite it. Default: observe.'),
  interval: Duration.optional().describe('Time between checks, such as 10m. Default: 10m.'),
  /** The brake: a heal that would delete or replace more resources than this waits for a person. */
  maxDestroys: z
    .int()
    .min(0)
    .optional()
    .describe(
      'A heal that would delete or replace more resources than this waits for a person. Default: 0 in production, no limit elsewhere.',
    ),
})

export const ApprovalsConfig = z.strictObject({
  required: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('How many people must approve a plan. Default: 1 in production, 0 elsewhere.'),
  /** `team:NAME`, `user:NAME` or a group of the forge; anyone with the right to approve where absent. */
  from: z
    .array(
      z
        .string()
        .regex(
          /^(?:(?:team|user):.+|(?:github|gitea):[^/]+\/[^/]+|gitlab:[^/]+(?:\/[^/]+)*)$/,
          'team:NAME, user:NAME, gitlab:GROUP/SUBGROUP, github:ORG/TEAM or gitea:ORG/TEAM',
        ),
    )
    .optional()
    .describe(
      'Whose approvals count: team:NAME, user:NAME, or a group of the forge (gitlab:GROUP/SUBGROUP, github:ORG/TEAM, gitea:ORG/TEAM). Default: anyone with the right to approve.',
    ),
  codeOwners: z
    .boolean()
    .optional()
    .describe('Also require an approval of the code owners of each changed file. Default: false.'),
  /** What a rollback MR needs: `none` merges it at once, `one` needs one approval, `same` the environment's rule. */
  rollback: z
    .enum(['none', 'one', 'same'])
    .optional()
    .describe(
      'Approvals a rollback needs: none, one, or the same as any change. Default: one in production, none elsewhere.',
    ),
})

export const EnvironmentConfig = z.strictObject({
  tier: z
    .enum(['development', 'staging', 'production'])
    .optional()
    .describe('How careful to be; decides the defaults of approvals and drift. Default: development.'),
  approvals: ApprovalsConfig.optional().describe('Who must approve changes before they are applied here.'),
  windows: z.array(WindowConfig).max(50).optional().describe('When changes may be deployed. Default: always.'),
  drift: DriftConfig.optional().describe('How drift is found and treated; a stack may say otherwise.'),
  onFailure: z
    .enum(['stop', 'rollback'])
    .optional()
    .describe('After a deployment that went wrong: wait for people, or roll back. Default: stop.'),
  unplannable: z
    .enum(['block', 'allow'])
    .optional()
    .describe(
      'When an error keeps a part of a stack (a host, say) from being planned: block the approval, or allow to deploy it unseen. Default: block.',
    ),
  trust: z
    .enum(['contributors', 'maintainers', 'approved'])
    .optional()
    .describe(
      'Whose changes are planned with variables, state and network before somebody else has approved them: of anyone who may push, of maintainers, or of nobody. Others are planned in a sandbox without these. Default: contributors.',
    ),
  stepUp: Duration.optional().describe(
    'Whoever approves or deploys here has to have proven the second factor within this time, such as 15m. Default: it is not asked for.',
  ),
  signatures: SignaturesConfig.optional().describe(
    'Signatures without which nothing is merged or deployed here. Default: none are asked for.',
  ),
  /** Name of the worker pool; the built-in runner's pool `default` where absent. */
  workers: name.optional().describe('Worker pool that serves this environment. Default: default, the built-in runner.'),
})

const ignoreRule = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(500)
    .describe('Resource addresses, as a glob; a last segment * covers everything below: Deployment/*'),
  attribute: z
    .string()
    .min(1)
    .max(500)
    .describe('Attribute path, as a glob; what lies below is covered too: spec.replicas, spec.ports[*].nodePort'),
})

/** A shell command, or one with a name and a time-out. */
export const CommandConfig = z.union([
  z.string().min(1),
  z.strictObject({
    run: z.string().min(1).describe('Shell command, run in the directory of the stack.'),
    name: z.string().min(1).max(100).optional().describe('What people see. Default: the first line of the command.'),
    timeout: Duration.optional().describe('Default: 10m.'),
  }),
])

export const StackConfig = z.strictObject({
  /** Directory, may hold globs and `{environment}`: `apps/NAME/overlays/{environment}` is one stack per match. */
  path: z
    .string()
    .min(1)
    .max(500)
    .describe(
      'Directory from the root of the repository. May hold *, **, ?, {a,b} and {environment}: one stack per match and environment.',
    ),
  name: stackNameTemplate
    .optional()
    .describe(
      'Name within the environment. With a glob it needs {path} (the default name), {dir} (its last part) or {1}…{9} (what the first… segment with a wildcard matched). Default: the path without the {environment} segment.',
    ),
  driver: name.describe('The tool that understands the directory: terraform, kubernetes, ansible, files, command, …'),
  environments: z
    .array(name)
    .min(1)
    .optional()
    .describe('Environments that have this stack. Default: those that {environment} matches, or the only one.'),
  needs: z
    .array(stackName)
    .max(1000)
    .optional()
    .describe('Names of stacks of the same environment that must be deployed before this one.'),
  inputs: z
    .record(name, z.string().regex(/^.+\.[^.]+$/, 'STACK.OUTPUT'))
    .optional()
    .describe('Input name → STACK.OUTPUT of a stack in the same environment.'),
  /** Further files, as globs from the repository's root, that the stack's desired state depends on. */
  watch: z
    .array(z.string().min(1))
    .max(1000)
    .optional()
    .describe('Further files that the stack is built from, as globs from the root of the repository.'),
  ignore: z
    .array(ignoreRule)
    .max(1000)
    .optional()
    .describe('Attributes that belong to others: neither shown as drift nor overwritten.'),
  /** Attributes whose planned value changes by itself; they leave the digest. */
  unstable: z
    .array(ignoreRule)
    .max(1000)
    .optional()
    .describe('Attributes whose planned value changes by itself: they do not count when plans are compared.'),
  checks: z
    .array(CommandConfig)
    .optional()
    .describe('Commands run in previews; their verdict stands on the merge request.'),
  verify: z
    .array(CommandConfig)
    .optional()
    .describe('Commands run after an apply; the deployment fails when one does.'),
  onRemove: z
    .enum(['keep', 'destroy'])
    .optional()
    .describe('When the stack leaves Git: list what it made as orphaned, or plan its destruction. Default: keep.'),
  drift: DriftConfig.optional().describe('Overrides the settings of the environment, key by key.'),
  timeout: Duration.optional().describe('Longest time a run may take. Default: 1h.'),
  /** Required tool version as a semver range: `>=1.6 <2`. */
  toolVersion: z
    .string()
    .min(1)
    .optional()
    .describe('Versions of the tool that will do, as a semver range: ">=1.6 <2".'),
  sandbox: z
    .enum(['plan', 'all'])
    .optional()
    .describe(
      'Run the tools in a sandbox of the worker: while planning, or in applies too. Default: as the worker does with all plans.',
    ),
  network: z
    .array(z.string().refine((text) => parseEndpoint(text) !== null, 'HOST:PORT, such as registry.opentofu.org:443'))
    .max(100)
    .optional()
    .describe(
      'What the tools may reach from a sandbox, as HOST:PORT; *.DOMAIN:PORT is every name below a domain. Default: nothing.',
    ),
  identity: z
    .record(
      tokenName,
      z.strictObject({
        audience: z
          .union([audience, z.array(audience).min(1).max(10)])
          .describe('Whom the token is for, as the cloud calls itself: sts.amazonaws.com, api://AzureADTokenExchange.'),
        phase: z.enum(['plan', 'apply']).optional().describe('The only phase that gets it. Default: both.'),
      }),
    )
    .refine((tokens) => Object.keys(tokens).length <= 20, 'at most 20 tokens')
    .refine(
      (tokens) => !Object.keys(tokens).some((name) => Object.hasOwn(tokens, `${name}_FILE`)),
      'NAME_FILE is the file of NAME',
    )
    .optional()
    .describe(
      'Tokens by which clouds know the run (OpenID Connect): variable → audience. NAME holds the token, NAME_FILE the path of a file with it.',
    ),
  sops: z
    .boolean()
    .optional()
    .describe(
      'Files that SOPS has encrypted for an age key of the worker are decrypted there, whatever the driver. Default: false.',
    ),
  showSecretDiff: z
    .boolean()
    .optional()
    .describe(
      'Show the lines of texts that hold a secret, with the secret masked, instead of how many change. Counts once it is on the target branch. Default: false.',
    ),
  labels: z
    .record(
      z.string().regex(/^[\w./-]{1,63}$/, 'letters, digits, "_", ".", "/" and "-"'),
      z.string().regex(/^\S{1,100}$/),
    )
    .refine((labels) => Object.keys(labels).length <= 20, 'at most 20 labels')
    .optional()
    .describe('Words to find stacks by, such as team: payments. They change nothing of what is deployed.'),
  variables: stringMap
    .optional()
    .describe('Environment variables of the tool. Not for secrets: those are kept by `trueup variable`.'),
  /** Driver settings; checked by the driver's own schema. */
  with: z.record(z.string(), z.json()).optional().describe('Settings of the driver; see its page.'),
})

export const PolicyConfig = z.strictObject({
  name: z.string().min(1).max(200).describe('Unique in the file.'),
  /** A CEL expression over `plan`, `stack`, `environment`, `mr`. */
  when: z.string().min(1).max(4000).describe('A CEL expression over plan, stack, environment and mr.'),
  // oxlint-disable-next-line unicorn/no-thenable -- a key of the file; no one awaits a schema's shape
  then: z.enum(['deny', 'require-approval', 'warn']).describe('What happens where the expression is true.'),
  message: z.string().max(2000).optional().describe('What people read on the merge request.'),
})

export const ExecutableConfig = z.strictObject({
  from: z
    .array(
      z
        .string()
        .regex(
          /^((team|user):.+|role:(contributor|maintainer|deployer|admin))$/,
          'team:NAME, user:NAME, or role:contributor, maintainer, deployer or admin',
        ),
    )
    .max(100)
    .describe(
      'Who may bring it, or vouch for it by approving the head: team:NAME, user:NAME, role:ROLE (that role or more).',
    ),
})

export const TrueupConfig = z.strictObject({
  version: z.literal(1).describe('Version of this format: 1.'),
  environments: z.record(name, EnvironmentConfig).describe('Named places, each with its rules.'),
  stacks: z.array(StackConfig).max(20_000).describe('Directories, each with the tool that understands it.'),
  policies: z.array(PolicyConfig).max(200).optional().describe('Rules over plans.'),
  executable: ExecutableConfig.optional().describe(
    'Whose changes may bring what is executed while planning or applying (commands, checks, plugins, provisioners). Others are not planned before one of them has approved the head. Default: anyone who may push.',
  ),
  signers: SignerList.optional().describe('Keys whose signatures count where an environment asks for some.'),
})

export type TrueupConfig = z.infer<typeof TrueupConfig>
export type EnvironmentConfig = z.infer<typeof EnvironmentConfig>
export type StackConfig = z.infer<typeof StackConfig>
export type PolicyConfig = z.infer<typeof PolicyConfig>
export type DriftConfig = z.infer<typeof DriftConfig>
export type ApprovalsConfig = z.infer<typeof ApprovalsConfig>
export type CommandConfig = z.infer<typeof CommandConfig>
