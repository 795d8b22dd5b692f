import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Acknowledged } from './acknowledged.ts'
import { isAlive, processesWith } from './processes.ts'
import type { Tally } from './tally.ts'
import { until } from './wait.ts'
import type { World } from './world.ts'

/** What must hold whenever things have come to rest after a kill. `stacks`: those that deployment `id` has changed. */
export async function inspect(
  world: World,
  facts: Acknowledged,
  tally: Tally,
  { id, stacks }: { id: string; stacks: readonly string[] },
): Promise<void> {
  for (const stack of stacks) checkEffects(world, id, stack, tally)
  await checkLeftovers(world)
  await facts.check(tally)
}

function checkEffects(world: World, id: string, stack: string, tally: Tally): void {
  if (stack === 'files') {
    const now = readFileSync(join(world.target, 'files', 'wanted'), 'utf8').trim()
    if (now !== `${id}-files`) tally.lost.push(`content ${id}-files: the target has ${now}`)
    return
  }
  const effects = world.ledger.effects(stack)
  if (!effects.has(`${id}-${stack}`)) tally.lost.push(`effect ${id}-${stack}`)
  for (const [content, times] of effects)
    if (times > 1) tally.repeated.push(`effect ${content} of stack ${stack}: ${times} times`)
}

/** Nothing of what was killed is left: no tool, no process of an earlier server, no workspace. */
async function checkLeftovers(world: World): Promise<void> {
  const strangers = (): string[] => {
    const tools = processesWith({ TRUEUP_REPOSITORY: 'faults', FAULTS_WORLD: world.options.hold })
    const marked = processesWith({ TRUEUP_TEST_HOLD: world.options.hold })
    const family = new Set([world.server.pid])
    for (let before = 0; before !== family.size; ) {
      before = family.size
      for (const { pid, ppid } of marked) if (family.has(ppid)) family.add(pid)
    }
    return [...tools, ...marked.filter(({ pid }) => !family.has(pid))]
      .filter(({ pid }) => isAlive(pid))
      .map(({ pid, argv }) => `process ${pid}: ${argv.slice(0, 200)}`)
  }
  // A watch has a workspace of its own as long as it watches.
  // Between two runners there is not even the directory.
  const workspaces = (): string[] =>
    existsSync(world.workDir) ? readdirSync(world.workDir).filter((name) => !name.startsWith('watch-')) : []
  const left = (): string[] => [...strangers(), ...workspaces().map((name) => `workspace ${name}`)]
  await until(
    'nothing is left of what was killed',
    () => left().length === 0,
    180_000,
    () => left().join('; '),
  )
}
