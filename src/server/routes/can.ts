import { z } from 'zod'
import { didYouMean } from '../../domain/suggest.ts'
import { environmentRules } from '../../engine/stacks/environment-rules.ts'
import { stepUpsOf } from '../../engine/stacks/step-up.ts'
import { formatDuration } from '../../domain/duration.ts'
import { isNamed, namesOf } from '../../domain/gates/votes.ts'
import type { Approver } from '../../domain/stacks/environment.ts'
import { groupsOfUser, toldOf } from '../../engine/merge-requests/groups.ts'
import { isFresh } from '../../domain/gates/step-up.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { findRepositoryByName } from '../../store/changes/repositories.ts'
import { roleIn } from '../../store/people/members.ts'
import { principalOf } from '../auth/enforce.ts'
import {
  ACTIONS,
  type Action,
  authorize,
  needsRepository,
  type Principal,
  repositoryNotFound,
} from '../auth/permissions.ts'
import type { RouteModule } from '../parts.ts'
import { Can } from '../schemas/people.ts'

/** What approves or deploys, and so asks for the second factor where an environment does. */
const STEPS_UP: ReadonlySet<Action> = new Set([
  'mr.approve', 'mr.merge', 'mr.bypass', 'run.approve', 'run.retry', 'stack.deploy', 'stack.destroy', 'drift.heal', 'rollback.create',
] satisfies Action[]) // biome-ignore format: a list of names
/** Whose approvals count is for the environment to say. */
const APPROVES: ReadonlySet<Action> = new Set<Action>(['mr.approve', 'run.approve'])

/** Whether whoever asks may do something, and what it would take. The same code decides as when it is done. */
export const canRoutes: RouteModule<'store' | 'engine'> = (app, { store, engine: { parts } }) => {
  app.get(
    '/api/v1/session/can',
    {
      config: { action: 'session.read' },
      schema: {
        tags: ['session'],
        summary: 'Whether you may do something, in a repository and an environment, and why not',
        querystring: z.strictObject({
          action: z.string().max(100),
          repository: z.string().max(100).optional(),
          environment: z.string().max(63).optional(),
        }),
        response: { 200: Can },
      },
    },
    async (request): Promise<Can> => {
      const { action, repository = null, environment = null } = request.query
      const principal = principalOf(request)
      const asked = { action, repository, environment }
      if (!isAction(action))
        throw new TrueupError('INVALID_REQUEST', {
          doing: `asking whether you may "${action}"`,
          why: `there is no such action${didYouMean(action, Object.keys(ACTIONS))}`,
          next: `There are ${Object.keys(ACTIONS).join(', ')}.`,
        })
      const { who, power } = ACTIONS[action]
      if (needsRepository(action) && repository === null)
        throw new TrueupError('INVALID_REQUEST', {
          doing: `asking whether you may "${action}"`,
          why: 'that depends on the repository, and none is named',
        })
      const needs = { who, scope: power }
      try {
        await assertCan(principal, action, asked)
        return { ...asked, needs, allowed: true, code: null, why: null, next: null }
      } catch (thrown) {
        if (!(thrown instanceof TrueupError) || thrown.status >= 500) throw thrown
        return { ...asked, needs, allowed: false, code: thrown.code, why: thrown.text.why, next: thrown.next ?? null }
      }
    },
  )

  async function assertCan(
    principal: Principal,
    action: Action,
    { repository: name, environment }: { repository: string | null; environment: string | null },
  ): Promise<void> {
    if (!needsRepository(action)) return authorize(principal, action)
    const repository = await findRepositoryByName(store.db, name!)
    if (!repository) throw repositoryNotFound(name!)
    const { id } = repository
    authorize(principal, action, {
      repository: { id, name: name!, role: await roleIn(store.db, id, principal.userId) },
      ...(environment !== null && { environment }),
    })
    if (environment === null) return
    const doing = `doing "${action}" in environment "${environment}"`
    const rules = await environmentRules(parts, id, environment)
    if (!rules) throw new TrueupError('NOT_FOUND', { doing, why: `"${name}" has no environment of that name` })
    if (APPROVES.has(action)) await assertNamed(principal, id, rules.approvals.from, doing)
    const [stepUp] = STEPS_UP.has(action) ? await stepUpsOf(parts, id, [environment]) : []
    if (stepUp && !isFresh(principal.provenAt, store.clock.now(), stepUp.withinMs))
      throw new TrueupError('STEP_UP_REQUIRED', {
        doing,
        why: `it asks for the second factor, proven by this login in the last ${formatDuration(stepUp.withinMs)}`,
      })
  }

  async function assertNamed(
    { userId, name }: Principal,
    repositoryId: string,
    named: readonly Approver[],
    doing: string,
  ): Promise<void> {
    const from = await toldOf(store.db, repositoryId, named)
    const groups = await groupsOfUser(store.db, repositoryId, userId)
    if (from.length === 0 || isNamed(from, { name, groups })) return
    const why = `it counts approvals of ${namesOf(from)} only`
    throw new TrueupError('FORBIDDEN', { doing, why, next: 'Ask one of them.' })
  }
}

const isAction = (text: string): text is Action => Object.hasOwn(ACTIONS, text)
