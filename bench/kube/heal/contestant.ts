import { setTimeout as sleep } from 'node:timers/promises'
import { kubernetesDriver } from '../../../src/drivers/kubernetes/index.ts'
import { benchContext } from '../context.ts'
import { APPLY, rawClient } from '../raw-client.ts'

/**
 * B7: `contestant.ts ROOT NAMESPACE WHO OBJECTS EDITS PAUSE`. Edits one ConfigMap of OBJECTS after the other and prints the
 * milliseconds from each edit to the moment a watch shows it healed. WHO heals: `trueup` (watch, plan, apply), `raw` (a watch and
 * one PATCH), or `peer` (another process does).
 */
const [root = '', namespace = '', who = 'trueup', objects = '100', edits = '50', pause = '200'] = process.argv.slice(2)

const client = rawClient(process.env.KUBECONFIG ?? '')
const place = `/api/v1/namespaces/${namespace}/configmaps`
const waiting = new Map<string, (ms: number) => void>()
const editedAt = new Map<string, number>()

/** Sees what everybody does, as a person with another watch would. */
async function observe(from: string): Promise<void> {
  for await (const line of client.lines(`${place}?watch=true&resourceVersion=${from}`)) {
    if (line === '') continue
    const { object } = JSON.parse(line)
    const name: string = object.metadata?.name ?? ''
    if (object.data?.value === 'edited') {
      if (who === 'raw') void heal(name)
    } else if (object.data?.value === 'wanted') waiting.get(name)?.(performance.now() - (editedAt.get(name) ?? 0))
  }
}

async function heal(name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value: 'wanted' } }
  await client.call('PATCH', `${place}/${name}?fieldManager=raw&force=true`, JSON.stringify(body), APPLY)
}

/** What runner and server do with an event, without their queue: check, and heal what has drifted. */
let busy: Promise<void> = Promise.resolve()
let again = false
function onEvent(): void {
  if (again) return
  again = true
  busy = busy.then(async () => {
    again = false
    const context = benchContext(root, namespace, 'heal')
    const plan = await kubernetesDriver.plan(context)
    if (plan.changes.length > 0) await kubernetesDriver.apply(context, plan)
  })
}

const { text } = await client.call('GET', place)
void observe(JSON.parse(text).metadata.resourceVersion)
if (who === 'trueup') await kubernetesDriver.watch!(benchContext(root, namespace, 'drift'), onEvent)
await sleep(300)

for (let edit = 0; edit < Number(edits); edit++) {
  const name = `map-${(edit * 7) % Number(objects)}`
  const healed = new Promise<number>((resolve) => waiting.set(name, resolve))
  const next = sleep(Number(pause))
  editedAt.set(name, performance.now())
  await client.call(
    'PATCH',
    `${place}/${name}?fieldManager=person`,
    '{"data":{"value":"edited"}}',
    'application/merge-patch+json',
  )
  const ms = await Promise.race([healed, sleep(30_000).then(() => Number.NaN)])
  console.log(ms.toFixed(2))
  waiting.delete(name)
  await next
}
await busy
process.exit(0)
