import { afterEach } from 'vitest'
import { openHostStack, openStack, type TerraformContext } from './stack.ts'

/** `openStack` and `openHostStack`, whose stacks are removed when the test has ended. */
export function useStacks(): { openStack: typeof openStack; openHostStack: typeof openHostStack } {
  const opened: TerraformContext[] = []
  afterEach(async () => {
    for (const context of opened.splice(0)) await context.remove()
  })
  return {
    openStack: async (...how) => {
      const context = await openStack(...how)
      opened.push(context)
      return context
    },
    openHostStack: async (...how) => {
      const stack = await openHostStack(...how)
      opened.push(stack.context)
      return stack
    },
  }
}
