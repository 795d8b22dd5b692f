import type { GitChild } from './child-process.ts'
import type { GitCommand } from './git-command.ts'
import { checkOid, checkRefName, isRevision } from './names.ts'
import type { ObjectReader } from './objects.ts'
import { decodePath } from './paths.ts'
import type { GitRepository } from './repository.ts'

type References = Pick<GitRepository, 'refs' | 'resolve' | 'updateRef' | 'deleteRef'>

/** About 400,000 refs. */
const MAX_REF_BYTES = 64 * 1024 * 1024

export function createReferences(
  child: GitChild,
  git: GitCommand,
  objects: ObjectReader,
  repository: string,
): References {
  return {
    async refs(prefix = 'refs/') {
      const argv = ['for-each-ref', '--format=%(objectname) %(refname)']
      const { stdout } = await git.expect('listing references', argv, { readOnly: true, maxOutputBytes: MAX_REF_BYTES })
      const refs = new Map<string, string>()
      for (const line of decodePath(stdout).split('\n')) {
        const space = line.indexOf(' ')
        const name = line.slice(space + 1)
        if (space > 0 && name.startsWith(prefix)) refs.set(name, line.slice(0, space))
      }
      return refs
    },
    async resolve(revision) {
      if (!isRevision(revision)) return null
      const [info] = await objects.info([`${revision}^{commit}`])
      return info?.oid ?? null
    },
    async updateRef(name, newOid, oldOid) {
      const doing = `moving ${name}`
      const input = {
        repository,
        name: checkRefName(name, doing),
        newOid: checkOid(newOid, doing),
        oldOid: checkOid(oldOid, doing),
      }
      return await child.call('updateRef', input)
    },
    async deleteRef(name, oldOid) {
      const doing = `deleting ${name}`
      const expected = oldOid === undefined ? null : checkOid(oldOid, doing)
      return await child.call('updateRef', {
        repository,
        name: checkRefName(name, doing),
        newOid: null,
        oldOid: expected,
      })
    },
  }
}
