import { canonicalJson, type Json } from '../../lib/json.ts'

/**
 * The program's view of a table row: columns named `xJson` become `x` with the JSON parsed (typed by `Jsons`, plain
 * `Json` where it names nothing), columns in `Flags` become booleans, everything else stays. Nullable stays nullable.
 */
export type FromRow<Row, Jsons = unknown, Flags extends keyof Row = never> = {
  [K in keyof Row as K extends `${infer Name}Json` ? Name : K]: K extends `${infer Name}Json`
    ? (Name extends keyof Jsons ? Jsons[Name] : Json) | Extract<Row[K], null>
    : K extends Flags
      ? boolean
      : Row[K]
}

export interface Codec<Row, Value> {
  fromRow: (row: Row) => Value
  /** Only the members that are there, so it serves inserts and updates alike; `undefined` members are left out. */
  toRow: (value: Partial<Value>) => Partial<Row>
}

/** Makes the codec of a table from the names of its JSON members (without the suffix) and of its 0/1 columns. */
export function makeCodec<Row extends object, Value extends object>(columns: {
  json?: readonly string[]
  flags?: readonly string[]
}): Codec<Row, Value> {
  const json = new Set(columns.json)
  const flags = new Set(columns.flags)
  return {
    fromRow(row) {
      const value: Record<string, unknown> = {}
      for (const [column, raw] of Object.entries(row)) {
        const name = column.slice(0, -'Json'.length)
        if (column.endsWith('Json') && json.has(name)) value[name] = raw === null ? null : JSON.parse(raw as string)
        else value[column] = flags.has(column) ? raw !== 0 : raw
      }
      return value as Value
    },
    toRow(value) {
      const row: Record<string, unknown> = {}
      for (const [name, member] of Object.entries(value)) {
        if (member === undefined) continue
        if (json.has(name)) row[`${name}Json`] = member === null ? null : canonicalJson(member)
        else row[name] = flags.has(name) ? Number(member) : member
      }
      return row as Partial<Row>
    },
  }
}
