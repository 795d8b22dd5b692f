import { expect, test } from 'vitest'
import { ACTS } from './acts.ts'
import { inNamespace, whyNoPower } from './namespace.ts'

// `npm run faults -- --power --rounds 200` is the whole of it; this is what people do most, once each.
const missing = whyNoPower()
const rounds = ['push', 'repository', 'merge', 'backup']

test.skipIf(missing !== null)(
  `what was acknowledged is there after a power cut${missing === null ? '' : ` (needs ${missing})`}`,
  async () => {
    const said: string[] = []
    expect(Object.keys(ACTS)).toEqual(expect.arrayContaining(rounds))
    await inNamespace([String(rounds.length), rounds.join(',')], (line) => said.push(line))
    expect(said.at(-1), said.join('\n')).toBe(`faults: ${rounds.length} cuts, 0 lost, 0 repeated, 0 stuck`)
  },
)

test.skipIf(missing !== null)(
  `nor does it take what an agent and a runner have done, or their way back${missing === null ? '' : ` (needs ${missing})`}`,
  async () => {
    const said: string[] = []
    await inNamespace(['1', 'workers'], (line) => said.push(line))
    expect(said.at(-1), said.join('\n')).toBe('faults: 1 cuts, 0 lost, 0 repeated, 0 stuck')
  },
  600_000,
)
