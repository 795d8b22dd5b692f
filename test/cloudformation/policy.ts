import type { JsonObject } from '../../src/lib/json.ts'

/** Why a stack policy denies an action on a resource, or undefined. Only Deny statements of the documented shape. */
export function denial(policy: string | undefined, logicalId: string, action: string): string | undefined {
  if (policy === undefined) return undefined
  const statements = (JSON.parse(policy) as { Statement?: JsonObject[] }).Statement ?? []
  const index = statements.findIndex((statement) => {
    const actions = [statement['Action'] ?? []].flat().map(String)
    const resources = [statement['Resource'] ?? []].flat().map(String)
    const covers = (patterns: string[], text: string): boolean =>
      patterns.some((pattern) => pattern === text || (pattern.endsWith('*') && text.startsWith(pattern.slice(0, -1))))
    return (
      statement['Effect'] === 'Deny' && covers(actions, action) && covers(resources, `LogicalResourceId/${logicalId}`)
    )
  })
  if (index === -1) return undefined
  return `Action denied by stack policy: Statement [#${index + 1}] does not allow [${action}] for resource [LogicalResourceId/${logicalId}]`
}
