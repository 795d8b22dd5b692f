import { type Account, stackOf } from '../account.ts'
import { ServiceError } from '../answer.ts'
import { templateAt } from '../nested.ts'
import { items, type QueryValue, text } from '../query.ts'

/** `TemplateBody`, `TemplateURL`, or the previous template. */
export function bodyOf(account: Account, parameters: QueryValue): string {
  const body = text(parameters, 'TemplateBody')
  if (body !== undefined && Buffer.byteLength(body) > 51_200) {
    throw new ServiceError(
      'ValidationError',
      "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
    )
  }
  const url = text(parameters, 'TemplateURL')
  if (url !== undefined) return templateAt(account, url)
  if (text(parameters, 'UsePreviousTemplate') === 'true') return stackOf(account, text(parameters, 'StackName')).body
  if (body === undefined)
    throw new ServiceError('ValidationError', 'Either Template URL or Template Body must be specified.')
  return body
}

export const parametersOf = (parameters: QueryValue) =>
  items(parameters, 'Parameters').map((item) => ({
    key: text(item, 'ParameterKey') ?? '',
    value: text(item, 'ParameterValue') ?? '',
    previous: text(item, 'UsePreviousValue') === 'true',
  }))
