import type { IgnoreRule } from '../../src/domain/plans/ignore-rule.ts'
import type { DriverContext } from '../../src/drivers/driver.ts'
import type { TestContext } from '../../src/drivers/testing/context.ts'
import type { PropertyName } from './properties.ts'

/** One attribute of one resource, as plans name them. */
export interface Place {
  address: string
  attribute: string
}

/** What a world's next context is to be, beside what it always is. */
export interface ContextOptions {
  destroy?: boolean
  ignore?: IgnoreRule[]
  kind?: DriverContext<unknown>['kind']
}

/**
 * A real stack of the driver with a real target of its own. It opens with a source that makes at least two resources and
 * is not applied yet. Its methods change it one after the other, in the order of life.ts or each alone.
 */
export interface World {
  /** A fresh run of the stack: the same source, target and cache; a new scratch directory. */
  context(options?: ContextOptions): Promise<TestContext<unknown>>
  /** Everything that the stack manages, as it is on the target: equal values mean that nothing was changed. */
  read(): Promise<unknown>
  /** Changes the source so that exactly this attribute of one resource that exists is to be updated; at each call again. */
  edit(): Promise<Place>
  /** Changes one managed attribute on the target by hand. */
  tamper(): Promise<Place>
  /** Likewise another attribute of which the ignore rules of the design hold in writes too; `read` tells its live value. */
  tamperIgnorable(): Promise<Place & { read: () => Promise<unknown> }>
  /** A sensitive value of the source, which stands on the target after an apply. */
  secret: string
  /** Breaks the source's syntax. */
  breakSource(): Promise<void>
  /** From now on the target does not answer. */
  killTarget(): Promise<void>
  /** Changes the source, beside what `edit` did, so that an apply does just `done` and fails at `failed`. */
  breakApply(): Promise<{ done: string[]; failed: string[] }>
  /** Changes the source so that an apply takes 20 s or more, and no longer fails before; `begun` resolves when it is under way. */
  slowApply(): Promise<{ begun: () => Promise<unknown> }>
  /** What the driver has started, here or on the target, and what still runs; default: processes that name `root`. */
  processes?(): Promise<string[]>
  /** Adds something that the tool cannot look at before it is applied; resolves with an address that coverage must name. */
  addUncheckable(): Promise<string>
  close(): Promise<void>
}

/** One driver, or one way of using it, under the suite. */
export interface Subject {
  /** Its name in `trueup.yaml`. */
  driver: string
  /** What the table says it ran against: `Puppet 7.23 on hosts over SSH`; `double of Chef Infra Client 16.18`. */
  against: string
  /** What is missing to run it here, and how to get it; null where nothing is. */
  missing: string | null
  /** Name by which TRUEUP_TEST_FORBID_SKIPS forbids skipping it. */
  needs: string
  /** Properties that cannot be asked of it, and why. */
  exempt: { readonly [property in PropertyName]?: string }
  open(): Promise<World>
}
