import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startLiveServer, until, type LiveServer } from '../../src/server/testing/live.ts'

/** Sets a mark on the window if anything takes it for HTML. */
const HTML = `<img src=x onerror="window.broken='yes'">`
const SCRIPT = `<script>window.broken='yes'</script>`
/** Names of branches need no such care: a merge request takes only letters, digits and a few marks. */
const FILE = `<img src=x onerror=window.broken=1>.html`
const LINKS = '[a link](javascript:window.broken=1) ![a picture](https://elsewhere.example/x.png)'

const rules = (directory: string): string => `version: 1
environments:
  production: { tier: production, approvals: { required: 1 }, drift: { mode: observe, interval: 1h } }
stacks:
  - path: web
    driver: files
    with: { target: ${join(directory, 'srv')}, prune: listed }
  - path: job
    driver: command
    with: { plan: sh plan.sh, apply: sh apply.sh, planFormat: json, idempotent: true }
`
const plan = JSON.stringify({
  changes: [
    {
      address: `job["${SCRIPT}"]`,
      resource: HTML,
      actions: ['update'],
      attributes: [
        { path: HTML, before: SCRIPT, after: `${SCRIPT}\n${HTML}\n` },
        { path: 'note', before: HTML, after: 'javascript:window.broken=1' },
      ],
    },
  ],
  coverage: { checked: 1, unchecked: [{ address: SCRIPT, why: HTML }] },
  findings: [{ severity: 'warning', message: `${SCRIPT}${HTML}`, path: FILE, line: 1 }],
})
const files = {
  'job/plan.sh': `cat <<'JSON'\n${plan}\nJSON\nexit 2\n`,
  'job/apply.sh': `cat <<'TEXT'\n${SCRIPT}${HTML}\n\u001b]8;;javascript:window.broken=1\u0007a link\u001b]8;;\u0007\n\u001b[31m${HTML}\u001b[0m\nTEXT\nexit 1\n`,
  [`web/${FILE}`]: `${SCRIPT}\n`,
}

/** A server whose every text of people and tools tries to be more than text, and that has something on every page. */
export interface HostileWorld extends LiveServer {
  merged: number
  open: number
  run: string
  linkFor(user: string): Promise<string>
}

export async function startHostileWorld(people: { [name: string]: string }): Promise<HostileWorld> {
  const live = await startLiveServer((at) => ({ 'trueup.yaml': rules(at) }))
  const must = async (method: string, path: string, body?: unknown) => {
    const answer = await live.request(method, path, body)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const shop = (method: string, path: string, body?: unknown) => must(method, `/api/v1/repositories/shop${path}`, body)
  for (const [name, role] of Object.entries(people)) {
    await must('POST', '/api/v1/users', { name, email: `${name}@example.org` })
    await shop('PUT', `/members/${name}`, { role })
  }
  const open = async (branch: string, changes: { [path: string]: string | null }): Promise<number> => {
    await live.push(branch, changes)
    const words = { title: `${HTML}${SCRIPT}`, description: `${SCRIPT}\n\n${HTML}\n\n${LINKS}` }
    const { number } = await shop('POST', '/merge-requests', { sourceBranch: branch, ...words })
    await until(
      () => shop('GET', `/merge-requests/${number}`),
      ({ planned }) => planned,
      180_000,
    )
    return number
  }
  const merged = await open('first', files)
  await shop('POST', `/merge-requests/${merged}/merge?bypass`, { squash: false, bypassReason: HTML })
  const runs = await until(
    () => shop('GET', '/runs?kind=deploy').then(({ items }) => items as { id: string; stack: string; state: string }[]),
    (found) => found.length === 2 && found.every(({ state }) => state === 'succeeded' || state === 'failed'),
    180_000,
  )
  await writeFile(join(live.directory, 'srv', FILE), `${SCRIPT}${SCRIPT}\n`)
  const number = await open('second', {
    [`web/${FILE}`]: `${HTML}\n${SCRIPT}\n`,
    'job/plan.sh': `#${HTML}\n${files['job/plan.sh']}`,
  })
  await shop('POST', `/merge-requests/${number}/comments`, { body: `${SCRIPT}\n\n${HTML}\n\n${LINKS}` })
  const line = { path: `web/${FILE}`, line: 1, side: 'new' }
  const suggestion = `\`\`\`suggestion\n${SCRIPT}${HTML}\n\`\`\``
  await shop('POST', `/merge-requests/${number}/comments`, { body: `${LINKS} ${HTML}\n${suggestion}`, ...line })
  await must('POST', '/api/v1/teams', { name: 'ops' })
  await shop('POST', '/environments/production/freezes', { reason: HTML })
  await shop('POST', '/environments/production/notices', { text: `${SCRIPT}${HTML}`, kind: 'incident' })
  await until(
    () => shop('GET', '/runs?limit=100'),
    ({ items }) => items.every(({ finishedAt }: { finishedAt: number | null }) => finishedAt !== null),
  )
  await shop('POST', '/drift/checks', { stack: 'production/web' })
  await until(
    () => shop('GET', '/drift'),
    ({ items }) => items.length > 0,
    180_000,
  )
  return {
    ...live,
    merged,
    open: number,
    run: runs.find(({ state }) => state === 'failed')!.id,
    linkFor: async (user) => (await must('POST', '/api/v1/session/links', { user })).url,
  }
}
