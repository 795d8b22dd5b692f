import { z } from 'zod'
import { Duration } from '../../domain/config/schema.ts'
import { expressionProblem } from './objects/expressions.ts'
import { Glob } from '../paths/glob.ts'

const relativePath = z
  .string()
  .min(1)
  .max(500)
  .refine((path) => !path.startsWith('/'), 'a path relative to the stack')
/** RFC 1123 label, the form of namespaces. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and dashes')

const expression = z
  .string()
  .min(1)
  .max(2000)
  .superRefine((text, context) => {
    const why = expressionProblem(text)
    if (why !== null) context.addIssue({ code: 'custom', message: why })
  })

const Helm = z.strictObject({
  /** A directory relative to the stack, `oci://…`, or a name together with `repo`. Default: the stack's directory. */
  chart: z.string().min(1).max(500).default('.'),
  /** Address of a chart repository, for `chart: NAME`. */
  repo: z.url({ protocol: /^https?$/ }).optional(),
  /** Exact version of a chart that comes from a repository or a registry. */
  version: z.string().min(1).max(100).optional(),
  /** `.Release.Name`. Default: the last part of the stack's name. */
  release: label.optional(),
  /** Values; they win over `valueFiles`. */
  values: z.record(z.string(), z.json()).default({}),
  /** Value files relative to the stack, later ones win. May lie outside it, inside the repository. */
  valueFiles: z.array(relativePath).max(50).default([]),
  /** The registry of an `oci://` chart speaks HTTP without TLS. */
  plainHttp: z.boolean().default(false),
  /** Certificate of the authority that signed the repository's or registry's, relative to the stack, or absolute on the worker. */
  caFile: z.string().min(1).max(1000).optional(),
  /** Whether the chart's `crds/` are part of the stack. */
  crds: z.boolean().default(true),
  /** `.Capabilities.KubeVersion`: rendering asks no cluster. */
  kubeVersion: z.string().max(50).optional(),
  /** Added to `.Capabilities.APIVersions`. */
  apiVersions: z.array(z.string().max(200)).max(200).default([]),
})

const Impersonate = z.strictObject({
  user: z.string().min(1).max(300),
  groups: z.array(z.string().min(1).max(300)).max(50).default([]),
})

const HealthRule = z.strictObject({
  /** Kind with its group as in addresses: `Certificate.cert-manager.io`. */
  kind: z.string().min(1).max(300),
  /** CEL over `object`; true when it is ready. */
  ready: expression,
  /** CEL over `object`; true when waiting any longer is useless. */
  failed: expression.optional(),
})

/** The `with:` block of a Kubernetes stack. Paths are relative to the stack's directory. */
export const KubernetesConfig = z.strictObject({
  /** How the source becomes objects. `auto`: by `kustomization.yaml` or `Chart.yaml` in the directory, else plain YAML. */
  render: z.enum(['auto', 'yaml', 'kustomize', 'helm']).default('auto'),
  /** The directory that is rendered; `{environment}` in it is the environment's name. */
  directory: relativePath.default('.'),
  /** Files that plain YAML leaves out, relative to the directory. */
  exclude: z.array(Glob).max(200).default([]),
  helm: Helm.optional(),
  /** Path of a kubeconfig: absolute on the worker, or relative to the stack. Default: `KUBECONFIG`, else in-cluster. */
  kubeconfig: z.string().min(1).max(1000).optional(),
  /** Context of the kubeconfig. Default: its current one. */
  context: z.string().min(1).max(300).optional(),
  /** Name of a token of the stack's `identity:`, which signs in instead of the kubeconfig's user. */
  token: z.string().min(1).max(100).optional(),
  impersonate: Impersonate.optional(),
  /** Namespace of objects that name none. Default: the context's, else `default`. */
  namespace: label.optional(),
  /** Create `namespace` where it is missing. */
  createNamespace: z.boolean().default(false),
  /** Namespace of the inventory. Default: `namespace`. */
  inventoryNamespace: label.optional(),
  /** Delete what this stack has made and does not render any more. */
  prune: z.boolean().default(true),
  /** Addresses that may be pruned although they are annotated `confirm`, or of a kind that holds data. */
  confirmPrune: z.array(Glob).max(200).default([]),
  /** Addresses that may be deleted and created again when a field cannot be changed in place. */
  replace: z.array(Glob).max(200).default([]),
  /** Addresses that may be taken over from another stack of the environment. */
  takeOver: z.array(Glob).max(200).default([]),
  /** What happens to a field that is ours and that someone else has set: overwritten, or the plan ends. */
  conflicts: z.enum(['overwrite', 'refuse']).default('overwrite'),
  /** Wait until what was changed is healthy. */
  wait: z.boolean().default(true),
  waitTimeout: Duration.default('5m'),
  health: z.array(HealthRule).max(100).default([]),
  /** Requests at once. */
  concurrency: z.int().min(1).max(128).default(16),
})
export type KubernetesConfig = z.infer<typeof KubernetesConfig>
export type HelmConfig = z.infer<typeof Helm>
export type HealthRule = z.infer<typeof HealthRule>
