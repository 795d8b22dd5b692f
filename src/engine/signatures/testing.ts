import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineHarness, PushHow } from '../testing/harness.ts'

type Sign = NonNullable<PushHow['sign']>

/** Real keys, and commits that real git signs with them. */
export interface TestKeys {
  /** Makes an SSH key; answers with its public line. */
  ssh(name: string): string
  sshSign(name: string, date?: string): Sign
  /** Makes an OpenPGP key; answers with it armoured, and its fingerprint. Made at a time, as gpg writes it, it lives that long. */
  gpg(name: string, made?: { at: string; life: string }): { armoured: string; fingerprint: string }
  /** `at`: when gpg is made to believe that it signs. */
  gpgSign(fingerprint: string, date?: string, at?: string): Sign
  close(): void
}

export function testKeys(harness: EngineHarness): TestKeys {
  const directory = join(harness.directory, 'test-keys')
  const home = join(directory, 'gpg')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const gpg = (...argv: string[]): string =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...argv], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString()
  const remake =
    (settings: string[], date: string | undefined): Sign =>
    async (commit) => {
      const git = (argv: string[], input?: string): string => {
        const when = date === undefined ? {} : { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
        const env = { PATH: process.env['PATH'] ?? '', HOME: directory, GNUPGHOME: home, ...person(git0), ...when }
        return execFileSync('git', ['-C', harness.git.directory, ...argv], {
          env,
          ...(input !== undefined && { input }),
        })
          .toString()
          .trim()
      }
      const git0 = await harness.git.commit(commit)
      const parents = git0.parents.flatMap((parent) => ['-p', parent])
      const argv = [...settings.flatMap((setting) => ['-c', setting]), 'commit-tree', '-S', ...parents, git0.tree]
      return git(argv, git0.message)
    }
  return {
    ssh(name) {
      const file = join(directory, name)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])
      return readFileSync(`${file}.pub`, 'utf8').trim()
    },
    sshSign: (name, date) => remake(['gpg.format=ssh', `user.signingKey=${join(directory, name)}`], date),
    gpg(name, made) {
      const then = made === undefined ? [] : ['--faked-system-time', made.at]
      const argv = ['--pinentry-mode', 'loopback', '--passphrase', '', '--quick-gen-key', name, 'ed25519', 'sign']
      gpg(...then, ...argv, made?.life ?? '0')
      const fingerprint = /(?<=^fpr:+)[0-9A-F]{40}(?=:)/m.exec(gpg('--list-keys', '--with-colons', name))![0]
      return { armoured: gpg('--armor', '--export', fingerprint), fingerprint }
    },
    gpgSign(fingerprint, date, at) {
      const key = `user.signingKey=${fingerprint}`
      if (at === undefined) return remake([key], date)
      const program = join(directory, `gpg-${at}`)
      writeFileSync(program, `#!/bin/sh\nexec gpg --faked-system-time ${at} "$@"\n`, { mode: 0o755 })
      return remake([key, `gpg.program=${program}`], date)
    },
    close: () => void execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']),
  }
}

const person = ({ author }: Awaited<ReturnType<EngineHarness['git']['commit']>>) => ({
  GIT_AUTHOR_NAME: author.name,
  GIT_AUTHOR_EMAIL: author.email,
  GIT_COMMITTER_NAME: author.name,
  GIT_COMMITTER_EMAIL: author.email,
})
