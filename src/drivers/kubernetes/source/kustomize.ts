import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { findTool, type Tool } from '../../tools/find-tool.ts'
import { checkEnded, lastWords } from '../../tools/verdict.ts'
import type { KubernetesConfig } from '../config.ts'
import { directoryOf, inWorkspace } from './locate.ts'
import type { Manifest, Problem } from './manifests.ts'
import { resourceProblem } from './kustomize-words.ts'
import { parsedManifests } from './parsed.ts'

const MAX_OUTPUT = 128 * 1024 * 1024

/** Kustomize 5 begins with these whatever comes of it. */
const WARNING = /^# Warning: (.+)$/

/** `kustomize` where the worker has it, else the one inside of kubectl. */
export function findKustomize(context: DriverContext<KubernetesConfig>): Promise<Tool<'kustomize' | 'kubectl'>> {
  return findTool(context, {
    names: ['kustomize', 'kubectl'],
    install: 'Kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize/) or kubectl',
    // What stands alone has no client to tell from a server.
    versionArguments: (name) => (name === 'kubectl' ? ['version', '--client'] : ['version']),
    readVersion: (stdout, stderr) =>
      /v?(\d+\.\d+\.\d+(?:-[\w.]+)?)/.exec(`${stdout}\n${stderr}`)?.[1] ??
      // What distributions build says no more than this.
      /\(devel\)/.exec(stdout)?.[0] ??
      null,
  })
}

/** `kustomize build`, without plugins and without a cluster. */
export async function renderKustomize(
  context: DriverContext<KubernetesConfig>,
  problems: Problem[],
): Promise<Manifest[]> {
  const tool = await findKustomize(context)
  const path = directoryOf(context.config, context.stack.environment)
  const directory = await inWorkspace(context, path)
  const doing = `rendering ${context.stack.path} with ${tool.name}`
  const result = await context.run({
    argv: [tool.path, tool.name === 'kubectl' ? 'kustomize' : 'build', directory],
    cwd: directory,
    env: { ...context.env, HOME: context.scratch, KUBECONFIG: '/dev/null' },
    quiet: true,
    maxOutputBytes: MAX_OUTPUT,
    graceMs: 2_000,
  })
  checkEnded(doing, result)
  const lines = result.stderr.split('\n')
  if (result.exitCode !== 0) {
    const stderr = lines.filter((line) => !WARNING.test(line)).join('\n')
    throw refused(context, doing, lastWords({ ...result, stderr }))
  }
  for (const line of new Set(lines)) {
    const message = WARNING.exec(line)?.[1]
    if (message !== undefined) problems.push({ message, path: context.stack.path, warning: 'kustomize_warning' })
  }
  return parsedManifests(result.stdout, undefined, problems)
}

/** What kustomize says names our places, and kubectl adds the time and its pid. */
function refused(context: DriverContext<unknown>, doing: string, words: string): TrueupError {
  const quoted = /^E\d{4} .*? err="((?:[^"\\]|\\.)*)"/m.exec(words)?.[1]
  const said = quoted === undefined ? words : (JSON.parse(`"${quoted}"`) as string)
  const why = said
    .replaceAll(`${context.workspace}/`, '')
    .replaceAll(context.workspace, '.')
    .replace(/^error: /i, '')
  const problem = resourceProblem(why)
  const next =
    problem?.unreachable && 'The worker has to reach it; or put a copy into the repository and name that instead.'
  return new TrueupError('SOURCE_INVALID', {
    doing,
    why: problem?.why || why || 'it said nothing',
    ...(next && { next }),
  })
}
