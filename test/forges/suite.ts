import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import type { Can, Capabilities } from '../../src/forges/capabilities.ts'
import { changeBodies } from './bodies/changes.ts'
import { mergeBodies } from './bodies/merging.ts'
import { settingBodies } from './bodies/setting.ts'
import { talkBodies } from './bodies/talk.ts'
import { labOf } from './lab.ts'
import { PROPERTIES, type PropertyName } from './properties.ts'
import type { ForgeWorld, Subject } from './subject.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** A row of the table of forges; `cannot`: the forge's sentence where it cannot. */
    forge?: { forge: string; property: PropertyName; against: string; cannot: string | null }
  }
}

/** Properties that a forge may be unable to have, with the capability that says so. */
const HANGS_ON: { readonly [property in PropertyName]?: (can: Capabilities) => Can } = {
  'request-changes': (can) => can.requestChanges,
  command: (can) => can.commands,
  statuses: (can) => can.statuses,
  deployments: (can) => can.deployments,
  'merge-commit': (can) => can.methods.merge,
  'merge-squash': (can) => can.methods.squash,
  'merge-rebase': (can) => can.methods.rebase,
  'merge-fast-forward': (can) => can.methods['fast-forward'],
  fork: (can) => can.forks,
  renamed: (can) => can.renaming,
  'lost-permission': (can) => can.credentials,
}

/** Registers one test for each property. Where a forge cannot, its sentence is the row, and asking all the same is refused. */
export function conformance(subject: Subject): void {
  describe(`conformance of the forge ${subject.name} (${subject.against})`, () => {
    let world: ForgeWorld | undefined
    beforeAll(async () => {
      world = await subject.open()
      await world.push('main', { 'README.md': 'shop\n', a: '1\n', b: '1\n' })
      await world.look()
    })
    afterAll(() => subject.close())

    const lab = labOf(() => world!)
    afterEach(() => lab.clear())
    const bodies = { ...changeBodies(lab), ...talkBodies(lab), ...mergeBodies(lab), ...settingBodies(lab) }
    for (const [property, title] of Object.entries(PROPERTIES) as [PropertyName, string][]) {
      // Each is some dozens of processes of git, on a machine that does other things beside.
      test(title, { timeout: 300_000 }, async ({ task }) => {
        const can = HANGS_ON[property]?.(world!.forge.can) ?? true
        const cannot = can === true ? null : can
        task.meta.forge = { forge: subject.name, property, against: subject.against, cannot }
        await bodies[property](cannot)
      })
    }
  })
}
