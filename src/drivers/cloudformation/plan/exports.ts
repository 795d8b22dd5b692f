import type { Stack } from '@aws-sdk/client-cloudformation'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { JsonObject } from '../../../lib/json.ts'
import type { Cloud } from '../api/cloud.ts'
import { asText } from '../template/text.ts'
import { hasTrue, knownOf } from '../source/expressions.ts'

interface Facts {
  template: JsonObject
  parameters: { [name: string]: string }
}

/**
 * Outputs that go away, by name, and exports that do while other stacks import them: AWS refuses to remove those, in the
 * middle of the deployment ("Export … cannot be deleted as it is in use by …"). With null every export goes.
 */
export async function outputFindings(
  cloud: Cloud,
  stack: Stack,
  facts: (Facts & { deployed: JsonObject | null }) | null,
): Promise<Finding[]> {
  const wanted = facts === null ? {} : outputsIn(facts.template)
  const kept = facts === null ? new Set<string>() : exportsIn(wanted, facts.parameters)
  const outputs = stack.Outputs ?? []
  const had = new Set([
    ...outputs.map(({ OutputKey: name = '' }) => name),
    ...Object.keys(outputsIn(facts?.deployed ?? {})),
  ])
  const removed = [...had].filter((name) => !(name in wanted)).toSorted()
  const findings: Finding[] =
    facts === null || removed.length === 0
      ? []
      : [
          {
            severity: 'info',
            code: 'outputs_removed',
            message: `outputs that the template no longer has: ${removed.join(', ')}`,
          },
        ]
  for (const { OutputKey: name = '', ExportName: exported } of outputs) {
    // A name that only AWS can tell may be the same: nothing is said.
    if (exported === undefined || kept === null || kept.has(exported)) continue
    const users = await importsOf(cloud, exported)
    if (users.length === 0) continue
    findings.push({
      severity: 'error',
      code: 'export_in_use',
      message: `output ${name} is exported as "${exported}", which ${users.join(', ')} import: AWS refuses to remove it. Change those stacks first.`,
    })
  }
  return findings
}

type Declared = { [name: string]: { Export?: { Name?: JsonObject | string } } | null }

function outputsIn(template: JsonObject): Declared {
  const outputs = template['Outputs']
  return outputs !== null && typeof outputs === 'object' && !Array.isArray(outputs) ? (outputs as Declared) : {}
}

/** Names under which the template exports; null where one of them is not known before it is deployed. */
function exportsIn(outputs: Declared, parameters: { [name: string]: string }): Set<string> | null {
  const names = new Set<string>()
  for (const output of Object.values(outputs)) {
    const name = output?.Export?.Name
    if (name === undefined) continue
    const known = knownOf(name, parameters)
    if (hasTrue(known.mask)) return null
    names.add(asText(known.value))
  }
  return names
}

/** Stacks that import it; none where the endpoint does not say. */
async function importsOf(cloud: Cloud, ExportName: string): Promise<string[]> {
  const users: string[] = []
  let NextToken: string | undefined
  try {
    do {
      const input = { ExportName, ...(NextToken && { NextToken }) }
      const page = await cloud.call('looking for imports', (api, o) => api.listImports(input, o), { raw: true })
      users.push(...(page.Imports ?? []))
      NextToken = page.NextToken
    } while (NextToken)
  } catch {
    // "Export … is not imported by any stack." is an error of this call; so are missing rights and endpoints without it.
  }
  return users
}
