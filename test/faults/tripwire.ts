/**
 * Loaded into the server before its own code: ends it with SIGKILL around the n-th commit of its life, so that a kill can
 * be put between any two of the engine's steps. `TRUEUP_TEST_KILL_AT`: `before 7` or `after 7`.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'

const [side, at] = (process.env['TRUEUP_TEST_KILL_AT'] ?? '').split(' ')
// The runner inherits the options of its server, and has a database too.
if (side && process.argv[1]?.endsWith('cli/main.ts')) {
  let left = Number(at)
  const prepare = Reflect.get(DatabaseSync.prototype, 'prepare') as (sql: string) => StatementSync
  DatabaseSync.prototype.prepare = function (sql) {
    const statement = prepare.call(this, sql)
    if (sql !== 'commit') return statement
    const commit = statement.run.bind(statement)
    statement.run = (...values: never[]) => {
      left -= 1
      if (left === 0 && side === 'before') process.kill(process.pid, 'SIGKILL')
      const result = commit(...values)
      if (left === 0 && side === 'after') process.kill(process.pid, 'SIGKILL')
      return result
    }
    return statement
  }
}
