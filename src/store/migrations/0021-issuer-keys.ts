import type { Migration } from './migration.ts'
import { makeTable } from './table.ts'

/** Keys with which the server signs tokens of runs. */
export const issuerKeys: Migration = {
  number: 21,
  name: 'issuer-keys',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'issuerKeys', {
      columns: {
        id: 'text',
        publicJson: 'text',
        privateSealed: 'text',
        signsFrom: 'int',
        shownUntil: 'int?',
        createdAt: 'int',
      },
      key: ['id'],
    })
  },
}
