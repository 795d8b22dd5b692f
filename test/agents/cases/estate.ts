import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chefClient } from '../../chef/client.ts'
import { toolsDirectory } from '../../tools.ts'
import type { Case, Files, Stage } from './case.ts'

/** Cases that can be here, opened on a ground of their own, as parts of one repository. */
export interface Estate {
  stages: readonly Stage[]
  /** Entries of `trueup.yaml`: each stack has one directory for each environment. */
  entries: object[]
  /** What a merge request changes so that each place of an environment gets a release. */
  files(release: string, environments: readonly string[]): Files
  close(): Promise<void>
}

/** What is done in an environment has this in its name. */
export const placeOf = (environment: string): string => `at-${environment}`

/** Words of PATH under which workers find the tools of all cases. */
export const toolPath = (): string =>
  [chefClient()?.directory, process.env['PATH'], toolsDirectory].filter(Boolean).join(delimiter)

export async function openEstate(cases: readonly Case[]): Promise<Estate> {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-estate-'))
  const ground = { target: join(directory, 'target'), mirror: join(directory, 'mirror') }
  const stages = await Promise.all(cases.filter(({ missing }) => missing === null).map((one) => one.open(ground)))
  return {
    stages,
    // A glob, since no directory is there before the merge request.
    entries: stages.map(({ driver, settings }) => ({ path: `${driver}*/{environment}`, driver, ...settings })),
    files: (release, environments) =>
      Object.assign(
        {},
        ...stages.map(({ driver, stack, shared }) =>
          Object.assign(
            below(driver, shared(release)),
            ...environments.map((name) => below(`${driver}/${name}`, stack(placeOf(name)))),
          ),
        ),
      ) as Files,
    async close() {
      await Promise.all(stages.map((stage) => stage.close()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const below = (directory: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]))
