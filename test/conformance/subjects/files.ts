import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { filesTest, tree } from '../../../src/drivers/files/testing/stack.ts'
import type { Subject, World } from '../subject.ts'
import { fileAppears } from '../wait.ts'

const SECRET = 'correct-horse-battery'

export const filesSubject: Subject = {
  driver: 'files',
  against: 'a directory of this machine',
  missing: null,
  needs: 'files',
  exempt: {
    'missing-tool': 'it needs no tool',
    'dead-target': 'it runs on the target itself',
  },
  open,
}

async function open(): Promise<World> {
  const base = await filesTest({
    missingTarget: true,
    config: {
      prune: 'all',
      templates: true,
      rules: [{ match: 'secret.conf', mode: '0600', sensitive: true }],
      reload: [
        { run: 'echo >"$HOME/../begun"; sleep 60', when: ['slow'] },
        { run: 'test -e "$HOME/../mended" || exit 3', when: ['broken'] },
      ],
    },
    files: {
      'stack/app.conf': 'port = 80\n',
      'stack/run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
      'stack/secret.conf': `password = ${SECRET}\n`,
    },
  })
  let port = 80
  const at = (path: string): string => join(base.target, path)
  return {
    context: (options) => base.next(options),
    read: () => tree(base.target).catch(() => ({})),
    async edit() {
      await base.write({ 'stack/app.conf': `port = ${++port}\n` })
      return { address: at('app.conf'), attribute: 'content' }
    },
    async tamper() {
      await chmod(at('app.conf'), 0o600)
      return { address: at('app.conf'), attribute: 'mode' }
    },
    async tamperIgnorable() {
      await writeFile(at('run.sh'), '#!/bin/sh\n# by hand\n')
      return { address: at('run.sh'), attribute: 'content', read: () => readFile(at('run.sh'), 'utf8') }
    },
    secret: SECRET,
    breakSource: () => base.write({ 'stack/site.conf.tmpl': 'listen ${inputs.nowhere}\n' }),
    async killTarget() {
      await rm(base.target, { recursive: true, force: true })
      await writeFile(base.target, 'a file in the place of the directory\n')
    },
    async breakApply() {
      await base.write({ 'stack/broken': 'its reload fails\n' })
      return { done: [at('broken')], failed: [] }
    },
    async slowApply() {
      // The reload that failed is due still, and comes first.
      await writeFile(join(base.root, 'mended'), '')
      await base.write({ 'stack/slow': 'its reload takes a minute\n' })
      return { begun: () => fileAppears(join(base.root, 'begun')) }
    },
    async addUncheckable() {
      await mkdir(base.target)
      await writeFile(Buffer.concat([Buffer.from(at('caf')), Buffer.from([0xe9])]), 'a name in Latin-1\n')
      return at('caf\uFFFDE9')
    },
    close: () => base.remove(),
  }
}
