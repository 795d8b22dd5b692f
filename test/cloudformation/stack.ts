import { setTimeout as sleep } from 'node:timers/promises'
import type { AccountOptions } from './account.ts'
import type { RealObject, Stack } from './model.ts'
import { type CloudFormationServer, startCloudFormation } from './server.ts'
import type { ApplyResult, DriverPlan } from '../../src/domain/plans/plan.ts'
import type { SourceFile, TestContext, TestContextOptions } from '../../src/drivers/testing/context.ts'
import { testContext } from '../../src/drivers/testing/context.ts'
import { CloudFormationConfig } from '../../src/drivers/cloudformation/config.ts'
import { cloudformationDriver } from '../../src/drivers/cloudformation/index.ts'

export interface StackTestOptions {
  files: { [path: string]: SourceFile }
  with?: { [setting: string]: unknown }
  account?: AccountOptions
  context?: Omit<TestContextOptions<CloudFormationConfig>, 'config' | 'files' | 'env'> & {
    env?: { [name: string]: string }
  }
}

/** A stack of the driver in an account of its own. */
export interface StackTest {
  server: CloudFormationServer
  context: TestContext<CloudFormationConfig>
  /** A later run of the same stack. */
  next(changes?: Partial<TestContext<CloudFormationConfig>>): Promise<TestContext<CloudFormationConfig>>
  plan(changes?: Partial<TestContext<CloudFormationConfig>>): Promise<DriverPlan>
  deploy(changes?: Partial<TestContext<CloudFormationConfig>>): Promise<{
    planned: DriverPlan
    result: ApplyResult
    context: TestContext<CloudFormationConfig>
  }>
  configure(more: { [setting: string]: unknown }): CloudFormationConfig
  /** The stack as the account has it. */
  stack(): Stack
  /** The real object of a resource of the stack. */
  real(logicalId: string): RealObject
  close(): Promise<void>
}

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'test-secret-key' }

export async function stackTest({
  files,
  with: settings = {},
  account,
  context: more,
}: StackTestOptions): Promise<StackTest> {
  const server = await startCloudFormation(account)
  const configure = (extra: { [setting: string]: unknown }): CloudFormationConfig =>
    CloudFormationConfig.parse({
      region: server.account.region,
      endpoint: server.url,
      pollSeconds: 0.01,
      ...settings,
      ...extra,
    })
  const context = await testContext({
    ...more,
    config: configure({}),
    files,
    env: { ...CREDENTIALS, ...more?.env },
  })
  const next: StackTest['next'] = (changes = {}) => context.next<CloudFormationConfig>(changes)
  const stack = (): Stack => server.account.stacks.findLast(({ parent }) => parent === undefined)!
  return {
    server,
    context,
    next,
    plan: async (changes) => cloudformationDriver.plan(await next(changes)),
    async deploy(changes = {}) {
      const run = await next({ kind: 'deploy', ...changes })
      const planned = await cloudformationDriver.plan(run)
      return { planned, result: await cloudformationDriver.apply(run, planned), context: run }
    },
    configure,
    stack,
    real: (logicalId) => server.account.objects.get(stack().resources.get(logicalId)!.physicalId)!,
    async close() {
      await server.close()
      await context.remove()
    },
  }
}

/** Waits until the stack is in a state. */
export async function stackIs(test: StackTest, status: RegExp, timeoutMs = 180_000): Promise<void> {
  const until = Date.now() + timeoutMs
  while (!status.test(test.stack()?.status ?? '')) {
    if (Date.now() > until) throw new Error(`the stack is ${test.stack()?.status}, waited for ${status}`)
    await sleep(5)
  }
}
