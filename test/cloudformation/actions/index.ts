import type { Account } from '../account.ts'
import type { Answer } from '../answer.ts'
import type { QueryValue } from '../query.ts'
import * as changeSets from './change-sets.ts'
import * as drift from './drift.ts'
import * as inAdvance from './in-advance.ts'
import * as stacks from './stacks.ts'

/** Every action of the API that the double knows; any other is answered with InvalidAction. */
export const ACTIONS: { readonly [name: string]: (account: Account, parameters: QueryValue) => Answer } = {
  ...changeSets,
  ...drift,
  ...inAdvance,
  ...stacks,
}
