import { relative } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverPlan, Finding, Output } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { type Redaction, redactionFor, secretInputs } from '../../values/redaction.ts'
import { changesOf } from './changes.ts'
import type { AnsibleConfig } from '../config.ts'
import { coverageOf, findingsOf } from './coverage.ts'
import { ignoreOrders, NO_IGNORES } from './ignore.ts'
import { placesOf } from './places.ts'
import { checkAsked, checkPlayed, checkReached, outputsOf, play, type Played } from './play.ts'
import { openSession } from '../session.ts'
import { passwordLookups } from '../source/password-lookups.ts'
import { vaultedSecrets } from '../secrets/vault.ts'

/** What the apply of the same run must know of its plan, sealed: secrets, and what ignore rules keep. */
export const sealedOrders = (context: DriverContext<unknown>): string => join(context.scratch, 'plan.sealed')

/** Runs the playbook in check mode: `--check --diff`. Changes nothing on the hosts, whatever the playbook says. */
export async function plan(context: DriverContext<AnsibleConfig>): Promise<DriverPlan> {
  const doing = `planning stack "${context.stack.name}" with ansible-playbook --check`
  const session = await openSession(context)
  try {
    // Before the run, which makes the files.
    const passwords = await passwordLookups(context)
    const vaulted = await vaultedSecrets(context, session.tool, session.env)
    const secrets = [...secretInputs(context), ...vaulted.secrets, REDACTED]
    const redaction = redactionFor(context, secrets)
    const played = await play(context, session, { check: true, ignore: NO_IGNORES })
    checkAsked(doing, played)
    checkPlayed(doing, context, played)
    checkReached(doing, played)
    const changes = changesOf(
      played.results.filter((result) => isChange(context, result)),
      redaction,
      vaulted.lost > 0,
    )
    const { orders, findings } = ignoreOrders(changes, played.results, context.ignore, redaction)
    await writeFile(sealedOrders(context), context.seal(Buffer.from(JSON.stringify({ secrets, orders }))), {
      mode: 0o600,
    })
    return {
      changes,
      coverage: coverageOf(played, redaction),
      outputs: predicted(played, redaction),
      findings: [
        ...findingsOf(played, redaction, (path) => placeOf(context, path)),
        ...findings,
        ...lostVaults(vaulted.lost),
        ...passwords,
      ],
      places: placesOf(played.files),
      toolVersions: { 'ansible-core': session.tool.version },
    }
  } finally {
    await session.connection.close()
  }
}

/** What ansible-core writes since 2.22 where a value was vaulted, or its option is `no_log` (module_utils/secrets.py). */
const REDACTED = '$REDACTED$'

function lostVaults(lost: number): Finding[] {
  if (lost === 0) return []
  const what = lost === 1 ? 'a vaulted value' : `${lost} vaulted values`
  const message = `${what} of the deployed commit cannot be opened any more, so the contents that are on the hosts now are not shown`
  return [{ severity: 'info', code: 'former_vault_closed', message }]
}

/**
 * A task that check mode cannot run is part of what a deployment does, so a preview shows it. It is no drift: nobody looked
 * at anything.
 */
function isChange(
  { config, kind }: DriverContext<AnsibleConfig>,
  { changed, unseen, readOnly }: Played['results'][number],
): boolean {
  if (changed) return true
  return unseen && !readOnly && config.uncheckable === 'change' && kind !== 'drift' && kind !== 'heal'
}

function predicted(played: Played, redaction: Redaction): { [name: string]: Output } {
  return Object.fromEntries(
    Object.entries(outputsOf(played)).map(([name, value]) => [name, redaction.value(value, false)]),
  )
}

/** `/workspace/stack/site.yml:12` as a place in the repository. */
export function placeOf({ workspace }: DriverContext<unknown>, path: string | null): Partial<Finding> {
  const [, file, line] = /^(.*):(\d+)$/.exec(path ?? '') ?? []
  if (file === undefined || !file.startsWith(`${workspace}/`)) return {}
  return { path: relative(workspace, file), line: Number(line) }
}
