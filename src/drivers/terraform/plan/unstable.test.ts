import { expect, it, vi } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { completePlan } from '../../../domain/plans/complete.ts'
import { findInstability } from '../../../domain/plans/instability.ts'
import type { Plan } from '../../../domain/plans/plan.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack } = useStacks()

const CODE = `
  resource "hostfile_file" "stamp" {
    path    = "/stamp"
    content = plantimestamp()
  }
  resource "hostfile_file" "copy" {
    path    = "/copy"
    content = "planned at \${hostfile_file.stamp.content}"
  }
`
const STAMP = { address: 'hostfile_file.stamp', attribute: 'content' }
const COPY = { address: 'hostfile_file.copy', attribute: 'content' }

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'values that are others in every plan', (tool) => {
    it('names what is derived from an unstable attribute too, so that approvals hold once both are listed', async () => {
      const { context } = await openHostStack(tool, CODE)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const planned = async () => terraformDriver.plan(await nextRun(context))
      const first = await planned()
      // The time has seconds: a plan of the same one is no other.
      const second = await vi.waitFor(
        async () => {
          const plan = await planned()
          expect(plan.changes).not.toEqual(first.changes)
          return plan
        },
        { timeout: 60_000 },
      )
      const both = (unstable: (typeof STAMP)[]): [Plan, Plan] => {
        const facts = { desiredDigest: 'sha256:aa', ignore: [], unstable, cause: null }
        return [completePlan(first, facts), completePlan(second, facts)]
      }
      expect(findInstability(...both([]))).toEqual([COPY, STAMP])
      // Of an expression that has more in it than the time, the rest must not change unseen.
      expect(findInstability(...both([STAMP]))).toEqual([COPY])
      const [one, other] = both([STAMP, COPY])
      expect(other.digest).toBe(one.digest)
    })
  })
}
