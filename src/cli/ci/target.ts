import type { Pipeline } from './pipeline.ts'

/** The target branch of the merge request, as it is now; undefined where the job is about none. */
export async function targetOf({
  checkout,
  surroundings: { target },
  remote,
}: Pick<Pipeline, 'checkout' | 'surroundings' | 'remote'>): Promise<string | undefined> {
  if (target === null) return undefined
  const ref = `refs/trueup-seen/target/${target}`
  const doing = `fetching the target branch ${target}`
  const flags = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  await checkout.ask(doing, ['fetch', ...flags, remote, `+refs/heads/${target}:${ref}`])
  return ref
}
