import { isForkBranch } from '../../store/forges/forks.ts'
import type { Connected } from './connected.ts'

/** More branches than this fill more pages than a fetch without news costs. */
const FEW_BRANCHES = 200

/** Brings the mirror to where the forge is, for looks: where all branches stand as they are here, git is not started. */
export async function followBranches({ git, api, fetch }: Connected): Promise<void> {
  const all = await git.refs('refs/heads/')
  const here = new Map([...all].filter(([name]) => !isForkBranch(name.slice('refs/heads/'.length))))
  if (here.size <= FEW_BRANCHES) {
    const there = new Map([...(await api.branches())].filter(([name]) => !isForkBranch(name)))
    if (there.size === here.size && [...there].every(([name, oid]) => here.get(`refs/heads/${name}`) === oid)) return
  }
  await fetch()
}
