import { expect, it } from 'vitest'
import { setDeployCursor, setUsableCommit } from './cursor.ts'
import { configOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { lastReadable, rulesSnapshot } from './readable.ts'

const BROKEN = { 'trueup.yaml': 'version: 1\nstacks: [' }
const rules = (required: number) =>
  configOf({ a: {} }, { environments: { production: { tier: 'production', approvals: { required } } } })

const { harness } = useWorld({ files: { 'trueup.yaml': rules(1), 'a/value': '1' } })

const readable = (branch: string, tip: string) =>
  lastReadable(harness.engine.parts, { repositoryId: harness.repositoryId, branch }, tip)

it('the rules of a commit count that is merged and not enacted yet', async () => {
  const first = (await harness.git.resolve('refs/heads/main'))!
  const second = await harness.push('main', { 'trueup.yaml': rules(3) })
  const tip = await harness.push('main', BROKEN)
  // As when the deployment of both is still on its way.
  await harness.store.transaction(async (tx) => {
    await setDeployCursor(tx, harness.repositoryId, first)
    await setUsableCommit(tx, harness.repositoryId, first)
  })
  expect((await readable('main', tip)).standIn).toMatchObject({ commitOid: second, problem: { code: 'CONFIG_SYNTAX' } })
  const snapshot = await rulesSnapshot(harness.engine.parts, harness.repositoryId)
  expect(snapshot?.config?.environments).toMatchObject({ production: { approvals: { required: 3 } } })
})

it('a branch that can be read stands for itself, and so does one that nothing near can stand in for', async () => {
  const tip = (await harness.git.resolve('refs/heads/main'))!
  expect(await readable('main', tip)).toMatchObject({ standIn: null, snapshot: { problems: [] } })
  let side = await harness.push('side', BROKEN)
  for (let more = 0; more < 20; more++) side = await harness.push('side', { note: `${more}` })
  const far = await readable('side', side)
  expect(far).toMatchObject({ standIn: { commitOid: null }, snapshot: { config: null } })
  // Not a first configuration: that would need no approval.
  expect(far.snapshot.configOid).not.toBeNull()
})
