import type { OperationEvent } from '@aws-sdk/client-cloudformation'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { Cloud } from '../api/cloud.ts'

export interface Validations {
  /** Warnings: the change set can be executed. */
  findings: Finding[]
  /** Why it cannot. */
  why: string[]
}

/**
 * What AWS found when it looked at a change set before any deployment: property syntax, names that are taken, buckets that
 * are not empty, quotas ("Validate stack deployments": events of the type VALIDATION_ERROR, by DescribeEvents). Of an
 * endpoint that does not offer it, and of a role that may not ask, nothing.
 */
export async function validationsOf(cloud: Cloud, ChangeSetName: string): Promise<Validations> {
  const events: OperationEvent[] = []
  let NextToken: string | undefined
  try {
    do {
      const input = { ChangeSetName, Filters: { FailedEvents: true }, ...(NextToken && { NextToken }) }
      const page = await cloud.call('reading what AWS found in advance', (api, o) => api.describeEvents(input, o), {
        raw: true,
      })
      events.push(...(page.OperationEvents ?? []))
      NextToken = page.NextToken
    } while (NextToken)
  } catch {
    // Said nowhere: the change set itself tells whether it can be executed.
  }
  const found = events.filter(({ EventType: type }) => type === 'VALIDATION_ERROR')
  const told = found.map((event) => ({ event, text: textOf(event) }))
  return {
    findings: told
      .filter(({ event }) => event.ValidationFailureMode !== 'FAIL')
      .map(({ event, text }) => ({
        severity: 'warning',
        code: `aws:${event.ValidationName ?? 'validation'}`,
        message: text,
      })),
    why: told.filter(({ event }) => event.ValidationFailureMode === 'FAIL').map(({ text }) => text),
  }
}

function textOf(event: OperationEvent): string {
  const where = event.LogicalResourceId ?? event.ResourceType
  const path = event.ValidationPath ? ` (${event.ValidationPath})` : ''
  const why = event.ValidationStatusReason ?? event.ValidationName ?? 'AWS gives no reason'
  return `${where === undefined ? '' : `${where}${path}: `}${why}`
}
