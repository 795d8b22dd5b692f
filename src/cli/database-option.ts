import { Option } from 'commander'

/** The address of a PostgreSQL database, of commands that open a store. */
export const databaseOption = (): Option =>
  new Option('--database <url>', 'PostgreSQL database instead of the embedded one (default: TRUEUP_DATABASE)')

/** `--database`, TRUEUP_DATABASE; undefined for the embedded one. */
export const databaseOf = (env: NodeJS.ProcessEnv, { database }: { database?: string }): string | undefined =>
  database ?? (env.TRUEUP_DATABASE || undefined)
