import { z } from 'zod'
import { attributeChanges } from '../../drivers/values/attributes.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { instancesOfState, refuseEncrypted } from './objects.ts'

/** What became of one object between two versions of a state. */
export interface StateDifference {
  /** The tool's address, `output.NAME` for an output of the root module. */
  address: string
  change: 'added' | 'removed' | 'changed'
  /** Paths of the attributes that differ. Never their values: which are secret only the provider's schema tells. */
  attributes: string[]
}

const State = z.looseObject({
  outputs: z
    .record(
      z.string(),
      z.custom<Json>(() => true),
    )
    .default({}),
})

/**
 * Two state files (version 4) side by side: managed objects, then outputs, each in order of address. TOOL_OUTPUT for another
 * shape, CONFLICT where OpenTofu has encrypted one of them.
 */
export function stateDifferences(from: Buffer, to: Buffer): StateDifference[] {
  for (const body of [from, to]) refuseEncrypted(body, 'comparing two versions of the state')
  return [...compare(objectsIn(from), objectsIn(to)), ...compare(outputsIn(from), outputsIn(to))]
}

function compare(before: ReadonlyMap<string, Json>, after: ReadonlyMap<string, Json>): StateDifference[] {
  const addresses = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return addresses.flatMap((address): StateDifference[] => {
    const old = before.get(address)
    const now = after.get(address)
    if (old === undefined) return [{ address, change: 'added', attributes: [] }]
    if (now === undefined) return [{ address, change: 'removed', attributes: [] }]
    const changed = attributeChanges({ before: old, after: now }, (value) => ({ value, sensitive: false }))
    return changed.length === 0 ? [] : [{ address, change: 'changed', attributes: changed.map(({ path }) => path) }]
  })
}

const objectsIn = (body: Buffer): Map<string, Json> =>
  new Map(
    instancesOfState(body).map(({ address, note, values }) => [
      note === null || note === 'tainted' ? address : `${address} (${note})`,
      { ...(note === 'tainted' && { tainted: true }), ...values },
    ]),
  )

function outputsIn(body: Buffer): Map<string, Json> {
  const parsed = State.safeParse(JSON.parse(body.toString('utf8')))
  if (!parsed.success)
    throw new TrueupError('TOOL_OUTPUT', { doing: 'comparing states', why: z.prettifyError(parsed.error) })
  return new Map(Object.entries(parsed.data.outputs).map(([name, output]) => [`output.${name}`, output]))
}
