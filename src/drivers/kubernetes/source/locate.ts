import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, posix, resolve, sep } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { HelmConfig, KubernetesConfig } from '../config.ts'

/** What Kustomize takes for its own. */
export const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

export type Renderer = 'yaml' | 'kustomize' | 'helm'

export const HELM_DEFAULTS: HelmConfig = {
  chart: '.',
  values: {},
  valueFiles: [],
  plainHttp: false,
  crds: true,
  apiVersions: [],
}

/** The directory to render, relative to the stack's. */
export const directoryOf = (config: KubernetesConfig, environment: string): string =>
  config.directory.replaceAll('{environment}', environment)

/** The same in the repository: a path from its root. PATH_OUTSIDE for one that leaves it. */
export function pathInRepository(stack: string, ...parts: string[]): string {
  const path = posix.normalize(posix.join(stack, ...parts)).replace(/\/$/, '')
  if (path !== '..' && !path.startsWith('../') && !posix.isAbsolute(path)) return path
  throw new TrueupError('PATH_OUTSIDE', {
    doing: `reading the settings of stack ${stack}`,
    why: `"${parts.join('/')}" leaves the repository`,
  })
}

/** An absolute path of the workspace, links followed. PATH_OUTSIDE; SOURCE_INVALID where nothing is there. */
export async function inWorkspace(context: DriverContext<unknown>, path: string): Promise<string> {
  if (isAbsolute(path)) throw outside(context, path)
  const wanted = resolve(context.directory, path)
  const real = await realpath(wanted).catch(() => null)
  if (real === null) {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `reading stack "${context.stack.name}"`,
      why: `${path} does not exist in ${context.stack.path}`,
    })
  }
  const root = await realpath(context.workspace)
  if (real !== root && !real.startsWith(root + sep)) throw outside(context, path)
  return real
}

const outside = (context: DriverContext<unknown>, path: string): TrueupError =>
  new TrueupError('PATH_OUTSIDE', {
    doing: `reading stack "${context.stack.name}"`,
    why: `"${path}" leaves the repository`,
  })

/** Which renderer the settings and the files ask for. */
export async function chooseRenderer(context: DriverContext<KubernetesConfig>): Promise<Renderer> {
  const { config, stack } = context
  if (config.render !== 'auto') return config.render
  if (config.helm) return 'helm'
  const directory = await inWorkspace(context, directoryOf(config, stack.environment))
  const has = (name: string): Promise<boolean> =>
    stat(join(directory, name)).then(
      (found) => found.isFile(),
      () => false,
    )
  for (const name of KUSTOMIZATIONS) if (await has(name)) return 'kustomize'
  return (await has('Chart.yaml')) ? 'helm' : 'yaml'
}
