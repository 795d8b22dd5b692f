import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { RunDetail } from '../src/server/schemas/plans.ts'
import { baseEnvironment } from './harness.ts'
import { stackDirectory } from './mr-world.ts'
import type { BenchServer } from './server.ts'
import type { MrDetail } from '../src/server/schemas/merge-requests.ts'

/** What a plan says, without what differs by chance (ids of resources, time stamps). */
const PlanFile = z.object({
  resource_changes: z.array(
    z.object({
      address: z.string(),
      change: z.object({
        actions: z.array(z.string()),
        before: z.object({ input: z.json() }).nullable(),
        after: z.object({ input: z.json() }).nullable(),
      }),
    }),
  ),
})

/** Hash of the plans that the server shows on the merge request: address, actions, input before and after. */
export async function proofOfMr(
  server: BenchServer,
  mr: MrDetail,
  wanted: (name: string) => boolean = () => true,
): Promise<string> {
  const lines = await Promise.all(
    mr.stacks
      .filter(({ stack }) => wanted(nameIn(stack)))
      .map(async ({ stack, run }) => {
        const { plan } = await server.admin.get(`/api/v1/runs/${run}`, RunDetail)
        return (plan?.changes ?? []).map(({ address, actions, attributes }) => {
          const input = attributes.find(({ path }) => path === 'input')
          return [nameIn(stack), address, actions.join('+'), input?.before, input?.after]
        })
      }),
  )
  return hash(lines.flat())
}

/** `development/stacks/s07` → `stacks/s07` */
const nameIn = (stack: string): string => stack.slice(stack.indexOf('/') + 1)

/** The same of the plan files that the floor has left in its checkout. */
export function proofOfCheckout(directory: string, terraform: string, stacks: readonly number[]): string {
  const lines = stacks.flatMap((stack) => {
    const at = join(directory, stackDirectory(stack))
    const text = execFileSync(terraform, ['show', '-json', 'plan'], {
      cwd: at,
      env: baseEnvironment(),
      encoding: 'utf8',
    })
    return PlanFile.parse(JSON.parse(text)).resource_changes.map(({ address, change: { actions, before, after } }) => [
      stackDirectory(stack),
      address,
      actions.join('+'),
      before?.input,
      after?.input,
    ])
  })
  return hash(lines)
}

function hash(lines: readonly unknown[]): string {
  const sorted = lines.map((line) => JSON.stringify(line)).sort()
  return `${sorted.length}-${createHash('sha256').update(sorted.join('\n')).digest('hex')}`
}
