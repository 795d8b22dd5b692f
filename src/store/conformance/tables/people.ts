import { expect, it } from 'vitest'
import { listMembers, membershipsOf, removeMember, roleIn, setMember } from '../../people/members.ts'
import { addTeamMember, createTeam, removeTeamMember, teamMembers, teamsOfUser } from '../../people/teams.ts'
import { createToken, findTokenByHash, listTokens, revokeToken, touchToken } from '../../people/tokens.ts'
import { countUsers, findUsersByEmail, findUserByName, listUsers, patchUser } from '../../people/users.ts'
import { type Bench, refusal } from '../bench.ts'
import { handsOn } from './hands.ts'

export function peopleTables(bench: () => Bench): void {
  const { db, write, user } = handsOn(bench)

  it('users, teams and members', async () => {
    const { repository } = bench()
    expect(await countUsers(db())).toBe(0)
    const [ada, bob] = [await user('ada'), await user('bob')]
    expect(await countUsers(db())).toBe(2)
    await refusal(user('ada'), 'CONFLICT')
    expect(await findUserByName(db(), 'ada')).toEqual(ada)
    expect(await findUsersByEmail(db(), ['Bob@Example.ORG', 'none@example.org', ''])).toEqual([bob])
    expect((await write((tx) => patchUser(tx, bob.id, { disabledAt: 5 }))).disabledAt).toBe(5)
    expect((await listUsers(db(), { limit: 1 })).items).toEqual([ada])
    const team = await write((tx) => createTeam(tx, { name: 'platform' }))
    await write((tx) => addTeamMember(tx, team.id, ada.id))
    await write((tx) => addTeamMember(tx, team.id, ada.id))
    expect(await teamMembers(db(), team.id)).toEqual([ada.id])
    expect(await teamsOfUser(db(), ada.id)).toEqual([team])
    await write((tx) => removeTeamMember(tx, team.id, ada.id))
    expect(await teamsOfUser(db(), ada.id)).toEqual([])
    const member = { repositoryId: repository.id, userId: ada.id }
    await write((tx) => setMember(tx, { ...member, role: 'reader' }))
    await write((tx) => setMember(tx, { ...member, role: 'deployer' }))
    expect(await roleIn(db(), repository.id, ada.id)).toBe('deployer')
    expect(await roleIn(db(), repository.id, bob.id)).toBeNull()
    expect(await listMembers(db(), repository.id)).toEqual(await membershipsOf(db(), ada.id))
    await write((tx) => removeMember(tx, repository.id, ada.id))
    expect(await listMembers(db(), repository.id)).toEqual([])
  })

  it('tokens: found by hash, touched, revoked once', async () => {
    const { clock } = bench()
    const ada = await user('ada')
    const token = await write((tx) => createToken(tx, { userId: ada.id, name: 'laptop', hash: 'h1', scopes: 'read' }))
    await refusal(
      write((tx) => createToken(tx, { userId: ada.id, name: 'b', hash: 'h1', scopes: '' })),
      'CONFLICT',
    )
    await touchToken(db(), token.id)
    expect(await findTokenByHash(db(), 'h1')).toEqual({ ...token, lastUsedAt: clock.now() })
    const revoked = await write((tx) => revokeToken(tx, token.id))
    clock.advance(10)
    expect(await write((tx) => revokeToken(tx, token.id))).toEqual(revoked)
    expect(await listTokens(db(), ada.id)).toEqual([revoked])
  })
}
