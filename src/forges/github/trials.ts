import type { RemoteApi, RemoteTrial } from '../remote/api.ts'

/** `gh-readonly-queue/main/pr-7-…`: what a merge queue tries of number 7, on the commit that is named last. */
const QUEUED = /^gh-readonly-queue\/.+\/pr-(\d+)-([0-9a-f]{40}|[0-9a-f]{64})$/

/** Anybody who may push can name a branch so. */
export const trialsOf = (): Required<Pick<RemoteApi, 'trials'>> => ({
  async trials(branches) {
    return [...branches].flatMap(([name, headOid]): RemoteTrial[] => {
      const [, number, baseOid] = QUEUED.exec(name) ?? []
      return baseOid === undefined ? [] : [{ number: Number(number), kind: 'queued', headOid, baseOid }]
    })
  },
})
