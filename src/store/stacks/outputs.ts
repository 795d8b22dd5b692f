import { canonicalJson, type Json } from '../../lib/json.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Database } from '../database/schema.ts'

/** `value` of a sensitive one is the sealed text; sealing and opening is the caller's. */
export type StackOutput = FromRow<Database['outputs'], { value: Json }, 'sensitive'>

const codec = makeCodec<Database['outputs'], StackOutput>({ json: ['value'], flags: ['sensitive'] })

/** Outputs of a stack's last successful apply, by name. */
export async function listOutputs(db: Queries, stackId: string): Promise<StackOutput[]> {
  const rows = await db.selectFrom('outputs').selectAll().where('stackId', '=', stackId).orderBy('name').execute()
  return rows.map(codec.fromRow)
}

/** Replaces all outputs of a stack: what an apply no longer has is gone. */
export async function setOutputs(
  tx: Queries,
  stackId: string,
  outputs: { [name: string]: { value: Json; sensitive: boolean } },
): Promise<void> {
  await tx.deleteFrom('outputs').where('stackId', '=', stackId).execute()
  const updatedAt = nowOf(tx)
  for (const [name, { value, sensitive }] of Object.entries(outputs)) {
    const row = { stackId, name, valueJson: canonicalJson(value), sensitive: Number(sensitive), updatedAt }
    await tx.insertInto('outputs').values(row).execute()
  }
  noteChange(tx, { topic: 'stack', id: stackId, stackId })
}
