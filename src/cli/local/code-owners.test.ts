import { describe, expect, it } from 'vitest'
import { ownersFindings, type Accounts } from './code-owners.ts'

const tree = (text: string, path = 'CODEOWNERS') => ({ files: [path], read: async () => Buffer.from(text) })
const known: Accounts = {
  users: new Set(['ada']),
  emails: new Set(['ada@example.org']),
  teams: new Set(['web']),
}
const texts = async (text: string, accounts: (() => Promise<Accounts>) | null = async () => known) =>
  (await ownersFindings(tree(text, 'docs/CODEOWNERS'), accounts)).map(({ severity, line, message }) =>
    [severity, line, message].join(' '),
  )

describe('what CODEOWNERS says in vain', () => {
  it('names unread lines and unknown accounts, each once, with their lines', async () => {
    expect(
      await texts('* @ada Ada@Example.org team:web\n/[w]eb/ @bob\nx/ @bob team:db no@where.org\ny/ @bob @web\n'),
    ).toEqual([
      expect.stringMatching(/^warning 2 this line protects nothing: character ranges/),
      'warning 3 @bob is no account of the server',
      'warning 3 team:db is no team of the server',
      'warning 3 no@where.org is no account of the server',
      'warning 4 @web is no account of the server; there is a team of that name: team:web',
    ])
  })

  it('says where accounts could not be checked', async () => {
    expect(await texts('* @ada\n', null)).toEqual([expect.stringMatching(/^info .*nobody is logged in/)])
    const down = async (): Promise<Accounts> => Promise.reject(new Error('down'))
    expect(await texts('* @ada\n', down)).toEqual([expect.stringMatching(/^info .*not checked/)])
    expect(await texts('# nobody\n', null)).toEqual([])
  })

  it('is nothing without such a file', async () => {
    expect(await ownersFindings({ files: ['trueup.yaml'], read: async () => null }, null)).toEqual([])
  })
})
