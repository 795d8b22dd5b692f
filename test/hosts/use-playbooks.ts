import { afterAll, afterEach, beforeAll } from 'vitest'
import { type TestHosts, upHosts } from './hosts.ts'
import { standIn } from '../../src/lib/testing/stand-in.ts'
import type { TestContext } from '../../src/drivers/testing/context.ts'
import type { AnsibleConfig } from '../../src/drivers/ansible/config.ts'
import { type AnsibleStack, ansibleStack } from '../../src/drivers/ansible/testing/stack.ts'

/** Hosts for all tests of a suite, and stacks of playbooks on them, each of which is removed when its test has ended. */
export function usePlaybooks(count: number) {
  let hosts: TestHosts | undefined
  const world = standIn(() => hosts)
  const opened: TestContext<AnsibleConfig>[] = []
  beforeAll(async () => {
    hosts = await upHosts(count)
  })
  afterAll(async () => {
    await hosts?.close()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((context) => context.remove()))
  })
  return {
    world,
    stack: async (options: AnsibleStack): Promise<TestContext<AnsibleConfig>> => {
      const context = await ansibleStack(world, options)
      opened.push(context)
      return context
    },
  }
}
