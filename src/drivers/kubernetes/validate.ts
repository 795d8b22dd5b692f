import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { KubernetesConfig } from './config.ts'
import { lintChart } from './source/helm.ts'
import { chooseRenderer } from './source/locate.ts'
import { hookFindings } from './source/hook-findings.ts'
import { render } from './source/render.ts'

/** Renders the stack and looks at every object; charts go through `helm lint`. Asks no cluster. */
export async function validate(context: DriverContext<KubernetesConfig>): Promise<Finding[]> {
  const rendered = await render(context).catch((thrown: unknown) => {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return thrown
    throw thrown
  })
  if (rendered instanceof TrueupError) {
    return [{ severity: 'error', message: rendered.text.why, path: context.stack.path }]
  }
  const findings: Finding[] = rendered.problems.map((problem): Finding => ({ severity: 'error', ...problem }))
  findings.push(...rendered.findings)
  if (rendered.manifests.length === 0 && findings.length === 0) {
    const message = 'the source renders no object: nothing would be applied, and nothing is deleted'
    findings.push({ severity: 'error', code: 'empty', message, path: context.stack.path })
  }
  findings.push(...hookFindings(rendered))
  if ((await chooseRenderer(context)) === 'helm') {
    for (const line of await lintChart(context)) {
      const severity = line.startsWith('[ERROR]') ? 'error' : 'warning'
      findings.push({ severity, code: 'helm_lint', message: line.replace(/^\[\w+\]\s*/, ''), path: context.stack.path })
    }
  }
  return findings
}
