import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** OpenID Connect providers at which people log in, and who of them is whom here. */
export const loginProviders: Migration = {
  number: 23,
  name: 'login-providers',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'loginProviders', {
      columns: {
        id: 'text',
        name: 'text',
        issuer: 'text',
        clientId: 'text',
        secretSealed: 'text?',
        scopes: 'text',
        groupsClaim: 'text',
        rulesJson: 'text',
        createdAt: 'int',
      },
      key: ['id'],
    })
    await makeIndex(db, 'loginProvidersByName', { table: 'loginProviders', on: '"name"', unique: true })
    await makeTable(db, dialect, 'loginSubjects', {
      columns: {
        id: 'text',
        providerId: 'text',
        subject: 'text',
        userId: 'text',
        givenJson: 'text',
        endedAt: 'int?',
        createdAt: 'int',
      },
      key: ['id'],
      references: { providerId: 'loginProviders', userId: 'users' },
    })
    await makeIndex(db, 'loginSubjectsBySubject', {
      table: 'loginSubjects',
      on: '"providerId", "subject"',
      unique: true,
    })
    await makeIndex(db, 'loginSubjectsByUser', { table: 'loginSubjects', on: '"userId"' })
  },
}
