import type { Account } from '../account.ts'
import { type Answer, ServiceError } from '../answer.ts'
import { changeSetOf } from '../change-sets.ts'
import { type QueryValue, text } from '../query.ts'

/** Validations of a change set, those of the account that a test has ordered. */
export function DescribeEvents(account: Account, parameters: QueryValue): Answer {
  const changeSet = changeSetOf(account, text(parameters, 'ChangeSetName'), text(parameters, 'StackName'))
  return {
    OperationEvents: account.validations.map((one, index) => ({
      EventId: `${changeSet.id}-${index}`,
      StackId: changeSet.stackId,
      OperationType: 'CREATE_CHANGESET',
      EventType: 'VALIDATION_ERROR',
      ValidationStatus: 'FAILED',
      ...one,
    })),
  }
}

/** Stacks that import an export; nobody is an error, in the service's words. */
export function ListImports(account: Account, parameters: QueryValue): Answer {
  const name = text(parameters, 'ExportName') ?? ''
  const users = account.imports.get(name) ?? []
  if (users.length === 0) throw new ServiceError('ValidationError', `Export '${name}' is not imported by any stack.`)
  return { Imports: users }
}
