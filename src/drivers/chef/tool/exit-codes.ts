import type { Finding } from '../../../domain/plans/plan.ts'

/** Exit codes of a run that did its work (Chef RFC 062): 35 and 37 outrank 0 where a reboot is asked for. */
export const SUCCESSFUL_EXITS: ReadonlySet<number> = new Set([0, 35, 37])

const MEANING: { readonly [code: number]: Pick<Finding, 'severity' | 'code' | 'message'> } = {
  35: { severity: 'warning', code: 'reboot_scheduled', message: 'Chef has scheduled a reboot' },
  37: {
    severity: 'warning',
    code: 'reboot_needed',
    message: 'the host has to be rebooted before the change is complete',
  },
  41: { severity: 'error', code: 'reboot_failed', message: 'the reboot that a recipe asked for did not work' },
  42: { severity: 'error', code: 'audit_failed', message: 'an audit of the run failed' },
  43: { severity: 'error', code: 'configuration_refused', message: 'Chef refused the configuration of the run' },
  213: {
    severity: 'error',
    code: 'client_upgraded',
    message: 'Chef was upgraded in the middle of the run: deploy again',
  },
}

/** A run that worked and did not come to all that was planned: `reboot_now` ends it on the spot, with a code of success. */
export function endedEarly(exitCode: number | null, missed: readonly string[]): Finding {
  const why = exitCode === 35 ? 'a recipe rebooted the host at once' : 'the run ended before'
  return {
    severity: 'error',
    code: 'ended_early',
    message: `${why}: Chef did not come to ${missed.slice(0, 10).join(', ')}${missed.length > 10 ? ` and ${missed.length - 10} more` : ''}. Deploy again.`,
  }
}

/** What an exit code of Chef says beyond "it worked" and "it did not". */
export function exitFinding(exitCode: number | null, host: string): Finding[] {
  const meaning = exitCode === null ? undefined : MEANING[exitCode]
  return meaning === undefined ? [] : [{ ...meaning, message: `${host === '' ? '' : `${host}: `}${meaning.message}` }]
}
