import { access, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { findTool, type Tool } from '../../tools/find-tool.ts'
import { checkEnded, lastWords } from '../../tools/verdict.ts'
import type { HelmConfig, KubernetesConfig } from '../config.ts'
import { directoryOf, HELM_DEFAULTS, inWorkspace } from './locate.ts'
import type { Capabilities } from './capabilities.ts'
import type { Manifest, Problem, RawManifests } from './manifests.ts'
import { parsedManifests } from './parsed.ts'
import { mayVary } from './varying.ts'

const MAX_OUTPUT = 128 * 1024 * 1024

export function findHelm(context: DriverContext<KubernetesConfig>): Promise<Tool<'helm'>> {
  return findTool(context, {
    names: ['helm'],
    install: 'Helm 3 or 4 (https://helm.sh/docs/intro/install)',
    versionArguments: ['version', '--short'],
    env: { HELM_NAMESPACE: 'default' },
  })
}

/**
 * `helm template`: the chart with the stack's values, hooks and (unless told otherwise) `crds/` included. It asks no
 * cluster, so `lookup` finds nothing, and capabilities are what it is told: the cluster's where a plan knows it, and what
 * `kubeVersion` and `apiVersions` say. Helm adds the APIs of its own version to them.
 */
export async function renderHelm(
  context: DriverContext<KubernetesConfig>,
  problems: Problem[],
  capabilities: Capabilities | null,
): Promise<RawManifests> {
  const tool = await findHelm(context)
  const settings = context.config.helm ?? HELM_DEFAULTS
  const chart = await chartDirectory(context, tool, settings)
  const kubeVersion = settings.kubeVersion ?? capabilities?.kubeVersion
  const argv = [
    tool.path,
    'template',
    releaseOf(context),
    chart,
    ...(await helmValues(context, settings)),
    '--namespace',
    context.config.namespace ?? 'default',
    settings.crds ? '--include-crds' : '--skip-crds',
    ...(kubeVersion === undefined ? [] : ['--kube-version', kubeVersion]),
    ...(capabilities?.apiVersions ?? []).flatMap((version) => ['--api-versions', version]),
    ...settings.apiVersions.flatMap((version) => ['--api-versions', version]),
  ]
  const once = async (found: Problem[]): Promise<Manifest[]> => {
    const result = await runHelm(context, `rendering ${context.stack.path} with helm`, argv)
    return parsedManifests(result, undefined, found).filter(({ object }) => !isTest(object))
  }
  const manifests = await once(problems)
  return { manifests, again: (await mayVary(chart)) ? await once([]) : null }
}

/** `helm lint`, for `validate`. */
export async function lintChart(context: DriverContext<KubernetesConfig>): Promise<string[]> {
  const settings = context.config.helm ?? HELM_DEFAULTS
  if (isRemote(settings)) return []
  const tool = await findHelm(context)
  const chart = await chartDirectory(context, tool, settings)
  const argv = [tool.path, 'lint', chart, ...(await helmValues(context, settings))]
  const result = await context.run({ argv, cwd: context.scratch, env: await environment(context), quiet: true })
  const said = `${result.stdout}\n${result.stderr}`.replaceAll(`${context.workspace}/`, '')
  return said.split('\n').filter((line) => /^\[(WARNING|ERROR)\]/.test(line))
}

/** Tests are for `helm test` (https://helm.sh/docs/topics/chart_tests/); they are no part of what is deployed. */
const isTest = ({ metadata }: Manifest['object']): boolean =>
  /(^|,)\s*test(-success|-failure)?\s*(,|$)/.test(metadata.annotations?.['helm.sh/hook'] ?? '')

/** `.Release.Name` of the stack. */
export function releaseOf({ config, stack }: DriverContext<KubernetesConfig>): string {
  if (config.helm?.release) return config.helm.release
  const last = stack.name.split('/').at(-1) ?? stack.name
  return (
    last
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 53) || 'release'
  )
}

const isRemote = ({ chart, repo }: HelmConfig): boolean => chart.startsWith('oci://') || repo !== undefined

async function helmValues(context: DriverContext<KubernetesConfig>, settings: HelmConfig): Promise<string[]> {
  const files: string[] = []
  for (const file of settings.valueFiles) {
    files.push('--values', await inWorkspace(context, file.replaceAll('{environment}', context.stack.environment)))
  }
  if (Object.keys(settings.values).length === 0) return files
  const own = join(context.scratch, 'values.json')
  await writeFile(own, JSON.stringify(settings.values satisfies { [name: string]: Json }), { mode: 0o600 })
  return [...files, '--values', own]
}

async function chartDirectory(
  context: DriverContext<KubernetesConfig>,
  tool: Tool,
  settings: HelmConfig,
): Promise<string> {
  if (isRemote(settings)) return pulledChart(context, tool, settings)
  const path = join(directoryOf(context.config, context.stack.environment), settings.chart)
  const directory = await inWorkspace(context, path)
  return (await lacksDependencies(context, directory)) ? withDependencies(context, tool, directory) : directory
}

/** Dependencies that Chart.yaml names and nobody has vendored into `charts/`. */
async function lacksDependencies(context: DriverContext<unknown>, directory: string): Promise<boolean> {
  const text = await readFile(join(directory, 'Chart.yaml'), 'utf8').catch(() => {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `rendering ${context.stack.path} with helm`,
      why: 'there is no Chart.yaml',
      next: 'Name the chart in `helm.chart`, or set `render:` to what the directory holds.',
    })
  })
  const chart: unknown = parseQuietly(text)
  const named = (chart as { dependencies?: { name?: unknown; alias?: unknown }[] } | null)?.dependencies ?? []
  const there = await Promise.all(
    named.map(({ name }) =>
      access(join(directory, 'charts', String(name))).then(
        () => true,
        () => false,
      ),
    ),
  )
  if (there.every(Boolean)) return false
  const archives = await readdir(join(directory, 'charts')).catch(() => [])
  return named.some(({ name }, at) => !there[at] && !archives.some((file) => file.startsWith(`${String(name)}-`)))
}

/** A copy of the chart with its dependencies fetched, as Chart.lock pins them where there is one. */
async function withDependencies(
  context: DriverContext<KubernetesConfig>,
  tool: Tool,
  directory: string,
): Promise<string> {
  const copy = join(context.scratch, 'chart')
  await rm(copy, { recursive: true, force: true })
  // Local dependencies (`file://../x`) are relative to the chart: the link keeps their places.
  await cp(directory, copy, { recursive: true })
  const metadata = await readFile(join(copy, 'Chart.yaml'), 'utf8')
  const absolute = metadata.replaceAll(
    /(repository:\s*["']?file:\/\/)(\.[^"'\s]*)/g,
    (_all, start: string, path: string) => {
      return `${start}${join(directory, path)}`
    },
  )
  await writeFile(join(copy, 'Chart.yaml'), absolute)
  if (absolute !== metadata) await rm(join(copy, 'Chart.lock'), { force: true })
  await runHelm(context, `fetching the dependencies of the chart ${context.stack.path}`, [
    tool.path,
    'dependency',
    absolute === metadata ? 'build' : 'update',
    copy,
  ])
  return copy
}

/** A chart from a repository or registry; an exact version is fetched once per worker and stack. */
async function pulledChart(
  context: DriverContext<KubernetesConfig>,
  tool: Tool,
  settings: HelmConfig,
): Promise<string> {
  const { chart, repo, version } = settings
  if (version === undefined) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading the settings of stack "${context.stack.name}"`,
      why: `helm.version is missing: without it ${chart} is another chart tomorrow`,
    })
  }
  const id = createHash('sha256')
    .update(JSON.stringify([chart, repo, version]))
    .digest('hex')
    .slice(0, 16)
  const name = chart.split('/').at(-1) ?? chart
  const kept = join(context.cache, 'charts', id)
  const there = await access(join(kept, name, 'Chart.yaml')).then(
    () => true,
    () => false,
  )
  if (there) return join(kept, name)
  const arriving = join(context.scratch, `chart-${id}`)
  await mkdir(arriving, { recursive: true })
  const source = repo === undefined ? [chart] : [chart, '--repo', repo]
  await runHelm(context, `fetching the chart ${chart} ${version}`, [
    tool.path,
    'pull',
    ...source,
    '--version',
    version,
    '--untar',
    '--untardir',
    arriving,
    ...(settings.plainHttp ? ['--plain-http'] : []),
    ...(settings.caFile === undefined ? [] : ['--ca-file', resolve(context.directory, settings.caFile)]),
  ])
  await mkdir(join(context.cache, 'charts'), { recursive: true })
  await rename(arriving, kept).catch(() => cp(arriving, kept, { recursive: true }))
  return join(kept, name)
}

/** What of Helm's words asks for which setting of the stack. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/requires kubeVersion/, 'Set `helm.kubeVersion` of the stack to the version of its cluster.'],
  [/signed by unknown authority/, 'Name the certificate of its authority with `helm.caFile` of the stack.'],
  [/server gave HTTP response to HTTPS client/, 'The registry has no TLS: set `helm.plainHttp: true` of the stack.'],
]

async function runHelm(context: DriverContext<KubernetesConfig>, doing: string, argv: string[]): Promise<string> {
  const result = await context.run({
    argv,
    cwd: context.scratch,
    env: await environment(context),
    quiet: true,
    maxOutputBytes: MAX_OUTPUT,
    graceMs: 2_000,
  })
  checkEnded(doing, result)
  if (result.exitCode === 0) return result.stdout
  const words = lastWords({ stdout: '', stderr: result.stderr || result.stdout })
  const why = words
    .replaceAll(`${context.workspace}/`, '')
    .replaceAll(context.scratch, '<scratch>')
    .replaceAll(context.cache, '<cache>')
    .replace(/^Error: /, '')
    .replace(/\n+Use --debug flag.*$/, '')
  const next = HINTS.find(([said]) => said.test(why))?.[1]
  throw new TrueupError('SOURCE_INVALID', { doing, why, ...(next !== undefined && { next }) })
}

/** Its own directories are private and hold nothing; the cluster of the environment is out of reach. */
async function environment(context: DriverContext<unknown>): Promise<{ [name: string]: string }> {
  const kubeconfig = join(context.scratch, 'empty-kubeconfig')
  await writeFile(kubeconfig, '', { mode: 0o600 })
  return {
    ...context.env,
    HOME: context.scratch,
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(context.cache, 'helm'),
    HELM_CONFIG_HOME: join(context.scratch, 'helm', 'config'),
    HELM_DATA_HOME: join(context.scratch, 'helm', 'data'),
    HELM_EXPERIMENTAL_OCI: '1',
  }
}

function parseQuietly(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
