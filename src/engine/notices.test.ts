import { describe, expect, it } from 'vitest'
import { activeNotices } from '../store/stacks/notices.ts'
import { postNotice, takeNoticeDown } from './notices.ts'
import { audited, configOf, land } from './testing/flows.ts'
import { useWorld } from './testing/use-world.ts'

describe('a notice', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' }, still: true })
  const where = () => ({
    repositoryId: harness.repositoryId,
    environment: 'production',
    actorId: harness.users.second.id,
  })
  const post = (more: object = {}) =>
    postNotice(harness.engine.parts, { ...where(), kind: 'incident', text: ' checkout is slow ', until: null, ...more })
  const standing = async () =>
    (await activeNotices(harness.store.db, { environment: 'production' })).map(({ text }) => text)
  const withdraw = (noticeId: string, more: object = {}) =>
    takeNoticeDown(harness.engine.parts, { ...where(), noticeId, ...more })

  it('stands until it is over or withdrawn, is audited, and stops nothing', async () => {
    const { id } = await post()
    await post({ text: 'soon over', until: harness.clock.now() + 60_000 })
    expect(await standing()).toEqual(['checkout is slow', 'soon over'])
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    expect(world.applied).toEqual(['production/a=2'])
    harness.clock.advance(60_000)
    expect(await standing()).toEqual(['checkout is slow'])
    await withdraw(id)
    expect(await standing()).toEqual([])
    const told = [
      ...(await audited(harness, 'environment.notice')),
      ...(await audited(harness, 'environment.notice.withdraw')),
    ]
    expect(told).toHaveLength(3)
  })

  it('is refused where it says nothing, is over, or has no environment, and where too many stand', async () => {
    const now = harness.clock.now()
    await expect(post({ text: ' ' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(post({ until: now })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(post({ environment: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (let posted = 0; posted < 20; posted++) await post()
    await expect(post()).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('is withdrawn once, and only where it stands', async () => {
    const { id } = await post()
    await expect(withdraw(id, { environment: 'staging' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(withdraw('notice_none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await withdraw(id)
    await expect(withdraw(id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})
