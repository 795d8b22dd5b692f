import { afterEach, describe, expect, it } from 'vitest'
import { kubernetesDriver } from '../index.ts'
import { openStack, type TestStack } from '../testing/stack.ts'

/** A Secret whose members are these lines. */
const secret = (members: string): string => `apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n${members}\n`

describe('a Secret that no server would take', () => {
  const open: TestStack[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((stack) => stack.remove()))
  })
  const told = async (text: string, inputs = {}): Promise<string[]> => {
    const stack = await openStack({ kubeconfig: '/nowhere', files: { 'stack/a.yaml': text }, inputs })
    open.push(stack)
    const findings = await kubernetesDriver.validate(stack.context)
    return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  }

  it.each([
    ['a number', 'stringData: {pin: 12345678}', 'Secret "db": stringData.pin is a number and has to be a text'],
    ['an octal number', 'stringData: {pin: 0777}', 'stringData.pin is a number'],
    ['a short number', 'data: {pin: 7}', 'data.pin is a number'],
    ['a number beyond 2^53', 'stringData: {pin: 98765432109876543210}', 'stringData.pin: whole numbers beyond'],
    ['a boolean', 'stringData: {flag: true}', 'stringData.flag is a boolean'],
    ['a word that is one', 'stringData: {flag: yes}', 'stringData.flag is a boolean'],
    ['a map', 'stringData: {db: {user: canary, pin: 12345678}}', 'stringData.db is a map'],
    ['a list', 'data: {all: [canary, 12345678]}', 'data.all is a list'],
    ['a text for all', 'stringData: canary', 'stringData is a string and has to be a map'],
    ['a list for all', 'data: [canary]', 'data is a list and has to be a map'],
    ['plain text under data', 'data: {password: canary}', 'data.password is no base64'],
    ['a bare alias', 'stringData: {password: *canary}', '(the text may be a Secret, so no more of it is shown)'],
    ['an open quote', 'stringData: {password: "canary}', 'no valid YAML'],
    ['a tab', 'stringData:\n\tpassword: canary', 'no valid YAML'],
    ['an escape', 'stringData: {password: "\\canary"}', 'no valid YAML'],
  ])('is refused without its value: %s', async (_what, members, why) => {
    const messages = await told(secret(members))
    expect(messages.join('\n')).toContain(why)
    expect(messages.join('\n')).not.toMatch(/canary|12345678|98765|0777|511|\btrue\b/)
  })

  it('may be empty, null, folded, or filled in', async () => {
    const good = 'data: {a: null, b: "", c: "aGVs\\nbG8="}\nstringData: {d: "${inputs.port}", e: null}'
    expect(await told(secret(good), { port: { value: 5432, sensitive: true } })).toEqual([])
  })
})
