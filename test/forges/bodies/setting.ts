import { expect } from 'vitest'
import type { Bodies, Body, Lab } from '../lab.ts'

type Names = 'fork' | 'renamed' | 'lost-permission'

/** What changes around merge requests. No forge that the port has today can do these: each says so. */
export const settingBodies = (_lab: Lab): Bodies<Names> => {
  const unable: Body = async (cannot) => expect(cannot).toMatch(/the built-in forge/)
  return { fork: unable, renamed: unable, 'lost-permission': unable }
}
