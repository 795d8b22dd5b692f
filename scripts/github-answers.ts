/**
 * Writes what GitHub's own description says of the answers that Trueup asks for (`test/forges/github/answers.json`), with
 * which the double of the tests is held to them. The description is 400 MB as a package, so only that part of it is kept:
 *
 *     npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz package/generated/api.github.com.json
 *     node scripts/github-answers.ts package/generated/api.github.com.json
 *
 * Descriptions and examples are left out, and `nullable` of OpenAPI 3.0 is said in JSON Schema's words.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const R = '/repos/{owner}/{repo}'
/** Method and path, as the description writes them. */
const OPERATIONS = [
  'get /app',
  'post /app/installations/{installation_id}/access_tokens',
  'get /user',
  'get /users/{username}',
  'get /orgs/{org}/teams/{team_slug}/members',
  `get ${R}`,
  `patch ${R}`,
  `get ${R}/activity`,
  `get ${R}/branches`,
  `get ${R}/branches/{branch}`,
  `delete ${R}/git/refs/{ref}`,
  `get ${R}/collaborators/{username}`,
  `put ${R}/collaborators/{username}`,
  `get ${R}/collaborators/{username}/permission`,
  `get ${R}/commits/{commit_sha}/pulls`,
  `get ${R}/commits/{ref}/status`,
  `get ${R}/compare/{basehead}`,
  `get ${R}/hooks`,
  `post ${R}/hooks`,
  `delete ${R}/hooks/{hook_id}`,
  `get ${R}/installation`,
  `get ${R}/issues/comments`,
  `get ${R}/issues/{issue_number}/comments`,
  `post ${R}/issues/{issue_number}/comments`,
  `patch ${R}/issues/comments/{comment_id}`,
  `post ${R}/issues/comments/{comment_id}/reactions`,
  `get ${R}/pulls`,
  `post ${R}/pulls`,
  `get ${R}/pulls/{pull_number}`,
  `patch ${R}/pulls/{pull_number}`,
  `put ${R}/pulls/{pull_number}/merge`,
  `get ${R}/pulls/{pull_number}/reviews`,
  `post ${R}/pulls/{pull_number}/reviews`,
  `put ${R}/pulls/{pull_number}/reviews/{review_id}/dismissals`,
  `post ${R}/statuses/{sha}`,
  `get ${R}/deployments`,
  `post ${R}/deployments`,
  `get ${R}/deployments/{deployment_id}/statuses`,
  `post ${R}/deployments/{deployment_id}/statuses`,
]

// oxlint-disable-next-line typescript/no-explicit-any -- a description of any shape
type Any = any
const KEPT = [
  'type',
  'format',
  'enum',
  'properties',
  'required',
  'items',
  'allOf',
  'anyOf',
  'oneOf',
  'additionalProperties',
  '$ref',
]
const described: Any = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const definitions: { [name: string]: Any } = {}
const nameOf = (ref: string): string => ref.replace('#/components/schemas/', '')

function schemaOf(source: Any): Any {
  if (source.$ref) {
    const name = nameOf(source.$ref)
    if (!(name in definitions)) {
      definitions[name] = {}
      definitions[name] = schemaOf(described.components.schemas[name])
    }
    return { $ref: `#/definitions/${name}` }
  }
  const kept: Any = {}
  for (const key of KEPT) if (key in source) kept[key] = source[key]
  if (kept.properties)
    kept.properties = Object.fromEntries(Object.entries(kept.properties).map(([name, its]) => [name, schemaOf(its)]))
  if (kept.items) kept.items = schemaOf(kept.items)
  for (const key of ['allOf', 'anyOf', 'oneOf']) if (kept[key]) kept[key] = kept[key].map(schemaOf)
  if (typeof kept.additionalProperties === 'object') kept.additionalProperties = schemaOf(kept.additionalProperties)
  if (!source.nullable) return kept
  if (typeof kept.type === 'string')
    return {
      ...kept,
      type: [kept.type, 'null'],
      ...(kept.enum && !kept.enum.includes(null) && { enum: [...kept.enum, null] }),
    }
  return { anyOf: [{ type: 'null' }, kept] }
}

const answers: Any = {}
for (const operation of OPERATIONS) {
  const [method = '', path = ''] = operation.split(' ')
  const found = described.paths[path]?.[method]
  if (!found) throw new Error(`the description has no ${operation}`)
  answers[operation] = {}
  for (const [status, answer] of Object.entries<Any>(found.responses)) {
    if (!/^[23]/.test(status)) continue
    const its = answer.$ref ? described.components.responses[answer.$ref.split('/').at(-1)] : answer
    const schema = its.content?.['application/json']?.schema
    answers[operation][status] = schema ? schemaOf(schema) : null
  }
}
const whole = { description: `api.github.com, @octokit/openapi ${described.info.version}`, answers, definitions }
writeFileSync('test/forges/github/answers.json', `${JSON.stringify(whole, null, 1)}\n`)
