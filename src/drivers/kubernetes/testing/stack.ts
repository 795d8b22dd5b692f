import type { ApplyResult, DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import { type SourceFile, type TestContext, testContext } from '../../testing/context.ts'
import type { DriverContext } from '../../driver.ts'
import { KubernetesConfig } from '../config.ts'
import { kubernetesDriver } from '../index.ts'

export type KubeContext = TestContext<KubernetesConfig>
type Changes = Partial<DriverContext<KubernetesConfig>>

/** One stack on a cluster, as tests go through it run by run. */
export interface TestStack {
  context: KubeContext
  write: KubeContext['write']
  /** A later run: the same files and cache, another scratch directory. */
  next(changes?: Changes): Promise<KubeContext>
  plan(changes?: Changes): Promise<DriverPlan>
  deploy(changes?: Changes): Promise<{ planned: DriverPlan; result: ApplyResult }>
  remove(): Promise<void>
}

export interface StackOptions {
  kubeconfig: string
  files: { [path: string]: SourceFile }
  with?: { [setting: string]: unknown }
  name?: string
  path?: string
  environment?: string
  env?: { [name: string]: string }
  inputs?: DriverContext<unknown>['inputs']
}

export async function openStack({ kubeconfig, files, with: settings, ...rest }: StackOptions): Promise<TestStack> {
  const config = KubernetesConfig.parse({ wait: false, ...settings })
  const context = await testContext<KubernetesConfig>({
    config,
    files,
    ...rest,
    env: { KUBECONFIG: kubeconfig, ...rest.env },
  })
  const next = (changes: Changes = {}): Promise<KubeContext> => context.next<KubernetesConfig>(changes)
  return {
    context,
    write: (changed) => context.write(changed),
    next,
    plan: async (changes) => kubernetesDriver.plan(await next(changes)),
    deploy: async (changes) => {
      const its = await next(changes)
      const planned = await kubernetesDriver.plan(its)
      return { planned, result: await kubernetesDriver.apply(its, planned) }
    },
    remove: () => context.remove(),
  }
}

/** `address path` of every attribute that would change; what is not an update as `address (create)`. */
export const placesOf = ({ changes }: Pick<DriverPlan, 'changes'>): string[] =>
  changes
    .flatMap(({ address, actions, attributes }: ResourceChange) =>
      actions.includes('update')
        ? attributes.map(({ path }) => `${address} ${path}`)
        : [`${address} (${actions.join('+')})`],
    )
    .toSorted()
