/** What the pictures show: a repository with two environments, stacks of every state, and merge requests about them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ask } from '../../src/server/testing/app.ts'
import { startLiveServer, until, type LiveServer } from '../../src/server/testing/live.ts'

/** Plans and deployments of the whole content, on a slow machine. */
const PATIENCE_MS = 300_000

/** What is read of a run. */
interface Run {
  id: string
  stack: string
  state: string
}

/** A name as long as any that people come up with. */
const LONG = 'platform/observability/long-term-metrics-storage-and-retention-of-the-european-data-centres'

const rules = (directory: string) => `version: 1
environments:
  staging: { tier: staging, drift: { mode: observe, interval: 1h } }
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: observe, interval: 1h }
stacks:
${['staging', 'production'].map((name) => webIn(directory, name)).join('')}
  - path: shop/database
    driver: command
    environments: [staging, production]
    variables: { STATE: ${JSON.stringify(join(directory, 'database'))} }
    with: { plan: sh plan.sh, apply: sh apply.sh, planFormat: json, idempotent: true }
  - path: shop/search
    driver: command
    environments: [staging]
    needs: [shop/database]
    with: { plan: "echo reindex 14 shards; exit 2", apply: sh apply.sh, idempotent: true }
  - path: ${LONG}
    driver: files
    environments: [staging]
    with: { target: ${join(directory, 'metrics')}, prune: listed }
`

const webIn = (directory: string, environment: string) => `
  - path: web/{environment}
    driver: files
    environments: [${environment}]
    needs: [shop/database]
    with: { target: ${join(directory, environment, 'web')}, prune: listed }`

/** A plan like that of a cloud: an update, a replacement, unknown and sensitive values, and a part that is not checked. */
const database = (size: string): string =>
  JSON.stringify({
    changes: [
      {
        address: 'database.primary',
        resource: 'database',
        actions: ['update'],
        attributes: [
          { path: 'instance.class', before: 'db.r6g.large', after: `db.r6g.${size}` },
          { path: 'storage.gigabytes', before: 200, after: 400 },
          { path: 'password', before: 'old', after: 'new', sensitive: true },
          { path: 'tags', before: { team: 'shop' }, after: { team: 'shop', cost: 'a-17' } },
        ],
      },
      {
        address: 'database.replica["eu-west"]',
        resource: 'database',
        actions: ['create'],
        attributes: [{ path: 'instance.class', before: null, after: 'db.r6g.large' }],
      },
      {
        address: 'firewall.rule["0.0.0.0/0"]',
        resource: 'firewall rule',
        actions: ['delete'],
        attributes: [{ path: 'port', before: 5432, after: null }],
      },
    ],
    coverage: { checked: 3, unchecked: [{ address: 'backup.nightly', why: 'the provider cannot read it back' }] },
    findings: [{ severity: 'warning', message: 'the instance restarts in its window', path: 'plan.sh', line: 3 }],
  })

const plan = (size: string): string => `#!/bin/sh
if cksum < plan.sh | cmp -s - "$STATE-$TRUEUP_ENVIRONMENT"; then echo '{"changes": []}'; exit 0; fi
cat <<'JSON'
${database(size)}
JSON
exit 2
`
const APPLY = `#!/bin/sh
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do printf '\\033[32mok\\033[0m   step %s of 12: moved partition %s\\n' $n $n; done
printf '\\033[33mwarning\\033[0m: the old class is deprecated\\n' >&2
cksum < plan.sh > "$STATE-$TRUEUP_ENVIRONMENT"
`
const FAILS = `#!/bin/sh
echo 'connecting to search-0.internal'
printf '\\033[31merror\\033[0m: shard 7 is not allocated: disk watermark exceeded\\n' >&2
exit 1
`
const page = (title: string) => `<!doctype html>
<html lang="en">
  <title>${title}</title>
  <link rel="stylesheet" href="/site.css">
  <h1>${title}</h1>
</html>
`
const style = (accent: string) =>
  `:root {\n  --accent: ${accent};\n  --ink: #171a21;\n}\nbody {\n  margin: 0;\n  font: 16px/1.5 system-ui;\n}\n`

const pages = (title: string, accent: string) =>
  Object.fromEntries(
    ['staging', 'production'].flatMap((name) => [
      [`web/${name}/index.html`, page(`${title} (${name})`)],
      [`web/${name}/site.css`, style(accent)],
    ]),
  )

/** A server with everything in it; what is named goes into addresses. */
export interface Content {
  server: LiveServer
  long: string
  merged: number
  open: number
  /** A run that ended with an error, one that changed something, and one that only planned. */
  runs: { failed: string; deployed: string; planned: string }
  linkFor(user: string): Promise<string>
}

export async function startContent(): Promise<Content> {
  let directory = ''
  const server = await startLiveServer((at) => ((directory = at), { 'README.md': 'The shop.\n' }))
  const request: LiveServer['request'] = (...call) => server.request(...call)
  const shop: LiveServer['shop'] = (...call) => server.shop(...call)
  for (const name of ['ada', 'bob']) {
    await request('POST', '/api/v1/users', {
      name,
      email: `${name}@example.org`,
      password: `${name} has a long one`,
      kind: name === 'ada' ? 'admin' : 'member',
    })
    await request('PUT', `/api/v1/repositories/shop/members/${name}`, { role: 'admin' })
  }
  await request('POST', '/api/v1/repositories', { name: 'empty' })
  await request('PUT', '/api/v1/repositories/empty/members/ada', { role: 'admin' })
  const session = await request('POST', '/api/v1/session', { name: 'bob', password: 'bob has a long one' })
  const asBob = async (path: string, body: unknown) => {
    const url = `/api/v1/repositories/shop/merge-requests/${path}`
    const answer = await ask(server.url, session.body.token, 'POST', url, body)
    if (answer.status >= 400) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
  }

  const open = async (branch: string, title: string, files: { [path: string]: string }, description = '') => {
    await server.push(branch, files)
    const { body } = await shop('POST', '/merge-requests', { sourceBranch: branch, title, description })
    await until(
      () => shop('GET', `/merge-requests/${body.number}`),
      (answer) => answer.body.planned,
      PATIENCE_MS,
    )
    return body.number as number
  }
  const merged = await open('stacks', 'Bring the shop under Git', {
    'trueup.yaml': rules(directory),
    ...pages('Shop', '#2f4fd8'),
    'shop/database/plan.sh': plan('large'),
    'shop/database/apply.sh': APPLY,
    'shop/search/apply.sh': FAILS,
    [`${LONG}/prometheus.yml`]: 'retention: 400d\n',
  })
  const { head, digests } = (await shop('GET', `/merge-requests/${merged}`)).body
  await asBob(`${merged}/reviews`, { verdict: 'approve', body: 'Good to have this at last.', head, digests })
  const merge = await shop('POST', `/merge-requests/${merged}/merge`, {})
  if (merge.status >= 400) throw new Error(`merging !${merged}: ${merge.body.why}`)
  const ofStack = (kind: string, stack: string, state: string) =>
    until(
      async () => (await shop('GET', `/runs?kind=${kind}&limit=100`)).body.items,
      (runs) => runs.some((run: Run) => run.stack === stack && run.state === state),
      PATIENCE_MS,
    ).then((runs) => runs.find((run: Run) => run.stack === stack && run.state === state).id as string)
  const failed = await ofStack('deploy', 'staging/shop/search', 'failed')
  const deployed = await ofStack('deploy', 'production/web', 'succeeded')

  await writeFile(join(directory, 'production', 'web', 'site.css'), style('#ff0000'))
  await shop('POST', '/drift/checks', { stack: 'production/web' })
  await ofStack('drift', 'production/web', 'succeeded')

  const changing = await open(
    'bigger-database',
    'Give the database more room, and the shop its new colours',
    { ...pages('The new shop', '#15743c'), 'shop/database/plan.sh': plan('xlarge') },
    'The disk is at **84 %**. After this:\n\n- the primary has twice the room\n- the port is closed to the world\n\n```sh\ntrueup stack show production/shop/database\n```',
  )
  await asBob(`${changing}/comments`, { body: 'Does the primary restart? Who tells support?' })
  const line = { path: 'shop/database/plan.sh', line: 4, side: 'new' }
  await asBob(`${changing}/comments`, { body: 'Is `xlarge` enough for the sale in November?', ...line })
  const colour = { path: 'web/production/site.css', line: 2, side: 'new' }
  await asBob(`${changing}/comments`, {
    body: 'Easier to read on a phone:\n```suggestion\n  --accent: #0f5a2c;\n```',
    ...colour,
  })
  await shop('POST', '/environments/production/notices', {
    kind: 'incident',
    text: 'The payment provider answers slowly; please deploy nothing that can wait.',
  })
  await open(
    'a-branch-with-a-name-that-says-everything-about-what-it-is-for-and-then-some-more-of-it',
    'Keep the metrics of the European data centres for as long as the auditors ask for them, and not a day longer than that',
    { [`${LONG}/prometheus.yml`]: `retention: 800d\n${'# as the auditors ask '.repeat(12)}\n` },
  )
  const planned = await ofStack('preview', 'production/shop/database', 'succeeded')
  return {
    server,
    long: LONG,
    merged,
    open: changing,
    runs: { failed, deployed, planned },
    linkFor: async (user) => (await request('POST', '/api/v1/session/links', { user })).body.url,
  }
}
