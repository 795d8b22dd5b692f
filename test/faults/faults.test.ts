import { expect, test } from 'vitest'
import { runRounds } from './rounds.ts'
import { runWorkerRounds } from './worker-rounds.ts'

// `npm run faults -- --rounds 10` is the whole of it; this is one round of what matters most.
test('nothing is lost, repeated or stuck when server, runner and tool are killed in every state of a run', async () => {
  const said: string[] = []
  const tally = await runRounds({
    rounds: 1,
    keep: false,
    terraform: false,
    only: ['states', 'merge', 'zombie'],
    say: (line) => said.push(line),
  })
  const { lost, repeated, stuck, kills } = tally
  expect({ lost, repeated, stuck }, said.join('\n')).toEqual({ lost: [], repeated: [], stuck: [] })
  expect(kills).toBeGreaterThanOrEqual(30)
})

test('nor when an agent and a runner are killed in mid-apply', async () => {
  const said: string[] = []
  const { lost, repeated, stuck, kills } = await runWorkerRounds(1, (line) => said.push(line))
  expect({ lost, repeated, stuck }, said.join('\n')).toEqual({ lost: [], repeated: [], stuck: [] })
  expect(kills).toBe(1)
}, 600_000)
