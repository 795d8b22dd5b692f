import { existsSync, realpathSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { viewArguments } from './view.ts'

const words = (wide: boolean): string => viewArguments({ wide, read: [], hide: [], path: process.env.PATH! }).join(' ')
/** Keys of a machine that lie below directories that libraries need. */
const KEYS = ['/etc/ssl/private', '/etc/pki/tls/private'].filter(
  (path) => existsSync(path) && realpathSync(path) === path,
)

describe('what is seen inside', () => {
  it.each([true, false])('is certificates without their keys (the whole machine: %s)', (wide) => {
    for (const path of KEYS) expect(words(wide)).toContain(`--tmpfs ${path}`)
    expect(words(wide)).toContain(wide ? '--ro-bind / /' : '--ro-bind /etc/ssl /etc/ssl')
  })

  it('is nothing of /etc that may hold a password, where nobody vouches for the code', () => {
    for (const name of ['shadow', 'ssh', 'gitconfig', 'sudoers', 'trueup'])
      expect(words(false)).not.toContain(`/etc/${name} `)
  })
})
