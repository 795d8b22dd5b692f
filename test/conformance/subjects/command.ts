import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandConfig } from '../../../src/drivers/command/config.ts'
import { tree } from '../../../src/drivers/files/testing/stack.ts'
import { type TestContext, testContext } from '../../../src/drivers/testing/context.ts'
import type { Subject, World } from '../subject.ts'
import { fileAppears } from '../wait.ts'

const SECRET = 'correct-horse-battery'
const KEEPER = fileURLToPath(new URL('../command/keeper.ts', import.meta.url))

interface Source {
  things: { [name: string]: { [attribute: string]: string } }
  blind?: string[]
}
const SOURCE: Source = {
  things: {
    app: { port: '80', colour: 'red', secret: SECRET },
    db: { port: '5432', colour: 'blue' },
  },
}

const common = { driver: 'command', missing: null, needs: 'command' }

/** A program that speaks the driver protocol. */
export const executableSubject: Subject = {
  ...common,
  against: 'a program that speaks the driver protocol',
  exempt: {},
  open: () => open((root) => ({ ...PROTOCOL, settings: { target: join(root, 'target') } })),
}

/** Shell commands whose `plan` prints JSON. */
export const shellSubject: Subject = {
  ...common,
  against: 'shell commands with a JSON plan',
  exempt: {
    'broken-source': 'an exit code does not tell a fault of the source from others: TOOL_FAILED with the last words',
    'half-failed': 'a command says only that it failed: every planned change counts as "not known whether done"',
    destroy: 'no command says what a destruction would do: its plan names the `destroy` command',
  },
  open: () => open(() => SHELL),
}

const PROTOCOL = { executable: 'keeper', args: ['protocol'], idempotent: true, destroy: true }
const SHELL = {
  plan: 'keeper plan',
  apply: 'keeper apply',
  validate: 'keeper validate',
  destroy: 'keeper destroy',
  version: 'keeper --version',
  planFormat: 'json',
  idempotent: true,
}

async function open(settings: (root: string) => object): Promise<World> {
  const base = await testContext<CommandConfig>({
    config: (root) => CommandConfig.parse(settings(root)),
    env: (root) => ({ PATH: `${join(root, 'bin')}:/usr/bin:/bin`, TARGET: join(root, 'target') }),
  })
  const target = join(base.root, 'target')
  await mkdir(target)
  await installKeeper(join(base.root, 'bin'))
  let port = 80
  const source = (more: Partial<Source['things']>, blind: string[] = []): Promise<void> => {
    const app = { ...SOURCE.things.app, port: String(port) }
    const things = { ...SOURCE.things, app, ...more }
    return base.write({ 'stack/things.json': JSON.stringify({ things, blind }) })
  }
  const byHand = async (name: string, attribute: string): Promise<void> => {
    const file = join(target, `${name}.json`)
    const thing = JSON.parse(await readFile(file, 'utf8')) as object
    await writeFile(file, JSON.stringify({ ...thing, [attribute]: 'by hand' }))
  }
  await source({})
  return {
    context: async (options = {}) =>
      (await base.next({
        destroy: options.destroy ?? false,
        ignore: options.ignore ?? [],
        kind: options.kind,
      })) as unknown as TestContext<unknown>,
    read: () => tree(target),
    async edit() {
      port++
      await source({})
      return { address: 'app', attribute: 'port' }
    },
    async tamper() {
      await byHand('db', 'port')
      return { address: 'db', attribute: 'port' }
    },
    async tamperIgnorable() {
      await byHand('app', 'colour')
      const read = async () =>
        (JSON.parse(await readFile(join(target, 'app.json'), 'utf8')) as { colour: string }).colour
      return { address: 'app', attribute: 'colour', read }
    },
    secret: SECRET,
    breakSource: () => base.write({ 'stack/things.json': '{ "things": ' }),
    killTarget: () => rm(target, { recursive: true }),
    async breakApply() {
      await source({ broken: { fail: 'yes' }, aaa: { port: '1' }, last: { port: '2' } })
      return { done: ['aaa'], failed: ['broken'] }
    },
    async slowApply() {
      await source({ slow: { slow: 'yes' } })
      return { begun: () => fileAppears(join(target, 'slow.json')) }
    },
    async addUncheckable() {
      await source({}, ['cat'])
      return 'cat'
    },
    close: () => base.remove(),
  }
}

/** Puts `keeper` on the run's PATH, on this very Node. */
async function installKeeper(directory: string): Promise<void> {
  const script = join(directory, 'keeper')
  await mkdir(directory)
  await writeFile(
    script,
    `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${KEEPER}' "$@"\n`,
  )
  await chmod(script, 0o755)
}
