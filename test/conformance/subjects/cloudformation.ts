import { stackIs, stackTest } from '../../cloudformation/stack.ts'
import { MADE, SECRET, template } from './cloudformation-template.ts'
import type { Subject, World } from '../subject.ts'

/** Both ways of healing: drift-aware change sets, and two updates where the endpoint does not offer them. */
export const cloudformationSubjects: readonly Subject[] = [
  subject('a double of CloudFormation', true),
  subject('a double of CloudFormation without REVERT_DRIFT', false),
]

function subject(against: string, revertDrift: boolean): Subject {
  return {
    driver: 'cloudformation',
    against,
    missing: null,
    needs: 'cloudformation',
    exempt: { 'missing-tool': 'it needs no tool' },
    open: () => open(revertDrift),
  }
}

async function open(revertDrift: boolean): Promise<World> {
  const test = await stackTest({
    account: { revertDrift },
    with: { secretParameters: { DbPassword: 'DB_PASSWORD' } },
    context: { env: { DB_PASSWORD: SECRET } },
    files: { 'stack/template.yaml': template() },
  })
  let timeout = 30
  const source = (text: string): Promise<void> => test.context.write({ 'stack/template.yaml': text })
  return {
    context: (options) => test.next(options as never) as never,
    read: async () => structuredClone([...test.server.account.objects.values()]),
    async edit() {
      timeout += 30
      await source(template({ timeout }))
      return { address: 'Queue', attribute: 'VisibilityTimeout' }
    },
    async tamper() {
      test.real('Topic').properties['DisplayName'] = 'by hand'
      return { address: 'Topic', attribute: 'DisplayName' }
    },
    async tamperIgnorable() {
      const queue = test.real('Queue')
      queue.properties['DelaySeconds'] = 77
      return { address: 'Queue', attribute: 'DelaySeconds', read: async () => Number(queue.properties['DelaySeconds']) }
    },
    secret: SECRET,
    breakSource: () => source('Resources:\n  Queue: {Type: AWS::SQS::Queue\n  - broken'),
    killTarget: () => test.server.close(),
    async breakApply() {
      // Above what SQS takes; CloudFormation rolls everything back.
      await source(template({ timeout: 99_999 }))
      return { done: [], failed: ['Queue'] }
    },
    async slowApply() {
      await source(template({ timeout: 61 }))
      test.server.account.slow.set('Queue', 20_000)
      return { begun: () => stackIs(test, /^UPDATE_IN_PROGRESS$/) }
    },
    async addUncheckable() {
      await source(template({ extra: MADE }))
      return 'Made'
    },
    close: () => test.close(),
  }
}
