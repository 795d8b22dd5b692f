import { filterStacks } from '../../domain/commands/filter.ts'
import { type BadCommand, type CommentCommand, commandsIn, VERBS, type Verb } from '../../domain/commands/parse.ts'
import { inert } from '../../domain/render/markdown-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { requireMergeRequest } from '../../store/changes/merge-requests.ts'
import {
  type CommandAnswer,
  commandsTaken,
  endForgeCommand,
  type ForgeCommand,
  noteAnswers,
} from '../../store/forges/commands.ts'
import { personIn } from '../merge-requests/voters.ts'
import type { EngineParts } from '../parts.ts'
import { stepUpsOf } from '../stacks/step-up.ts'
import { apply } from './apply.ts'
import { approve } from './approve.ts'
import { refusalOf } from './lines.ts'
import { type Act, type Order, stacksOfMr } from './order.ts'
import { plan, retry } from './plans.ts'
import { rollback } from './rollback.ts'
import { drift, heal, unlock } from './stacks.ts'

const HELP: { readonly [verb in Verb]: string } = {
  plan: 'makes plans anew',
  approve: 'approves the plans that stand here (`-e ENVIRONMENT`: those of it)',
  apply: 'merges, which deploys; once it is merged: lets deployments go on that wait for an approval',
  heal: 'overwrites drift of the stacks',
  drift: 'looks for drift of the stacks',
  rollback: 'opens a merge request that takes back what this one deployed',
  retry: 'does again what has failed',
  unlock: 'opens locks of states that no run holds any more',
  help: 'says this',
}

const help: Act = {
  needs: () => 'reader',
  run: async () => [
    ...VERBS.map((verb) => `- \`/trueup ${verb}\`: ${HELP[verb]}`),
    '',
    'Behind it may stand stacks (`NAME`, `ENVIRONMENT/NAME`, `web-*`), environments (`-e production`) and, last, `--reason TEXT`.',
  ],
}

/** Verb → act. */
export const ACTS: { readonly [verb in Verb]: Act } = {
  plan,
  approve,
  apply,
  heal,
  drift,
  rollback,
  retry,
  unlock,
  help,
}

/**
 * Obeys the commands that people have written on a merge request, one comment after the other: a sign beside the comment, what
 * it asks for, and one answer that is written in its place again should this be done twice.
 */
export async function obeyCommands(parts: EngineParts, mrId: string): Promise<void> {
  for (const said of await commandsTaken(parts.store.db, mrId)) {
    const isThere = await obey(parts, said)
    await parts.store.transaction((tx) => endForgeCommand(tx, said.id, isThere ? 'done' : 'passed'))
  }
}

/** False where the comment is gone: then nothing is done. */
async function obey(parts: EngineParts, said: ForgeCommand): Promise<boolean> {
  const { comments } = await parts.forges.of(said.repositoryId)
  const { db } = parts.store
  // Who has no part in the repository gets a sign, and nothing of ours to multiply.
  if ((await personIn(db, said.repositoryId, said.userId, 'reader')).barred !== null)
    return await comments.sign(said.mrId, said.commentId, 'refused')
  if (!(await comments.sign(said.mrId, said.commentId, 'taken'))) return false
  const commands = commandsIn(said.body)
  const answers = said.answers ?? []
  for (const command of commands.slice(answers.length)) {
    answers.push(await answerTo(parts, said, command))
    await parts.store.transaction((tx) => noteAnswers(tx, said.id, answers))
  }
  if (answers.some(({ ok }) => !ok)) await comments.sign(said.mrId, said.commentId, 'refused')
  const words = commands.map((command, at) => worded(command, answers[at]!))
  await comments.upsert(said.mrId, `answer:${said.commentId}`, words.join('\n\n'))
  return true
}

function worded({ text }: CommentCommand | BadCommand, { lines: [first, ...more] }: CommandAnswer): string {
  return [`\`${text.replaceAll('`', "'")}\`${first === '' ? '' : ` ${first}`}`, ...more].join('\n')
}

async function answerTo(
  parts: EngineParts,
  said: ForgeCommand,
  command: CommentCommand | BadCommand,
): Promise<CommandAnswer> {
  if (!('verb' in command)) return { ok: false, lines: [`is no command: ${inert(command.why)}`] }
  const { db } = parts.store
  try {
    const mr = await requireMergeRequest(db, said.mrId, 'obeying a comment')
    const act = ACTS[command.verb]
    const { barred, user } = await personIn(db, mr.repositoryId, said.userId, act.needs({ mr, said }))
    if (barred !== null) return { ok: false, lines: [`no: ${inert(user?.name ?? said.userId)} ${inert(barred)}.`] }
    const all = await stacksOfMr(db, mr)
    const { selected, unmatched } = filterStacks(command, all)
    if (command.verb !== 'help') requireSome(command, { selected, unmatched, all })
    if (DEPLOYS.has(command.verb)) await refuseWhereProven(parts, mr.repositoryId, command.verb)
    const order: Order = { command, said, mr, actorId: said.userId, stacks: selected, all }
    const lines = await act.run(parts, order)
    return { ok: true, lines: lines[0]?.startsWith('- ') ? ['', ...lines] : lines }
  } catch (thrown) {
    return { ok: false, lines: [refusalOf(thrown)] }
  }
}

/** What approves or deploys. */
const DEPLOYS: ReadonlySet<Verb> = new Set(['approve', 'apply', 'heal', 'retry', 'rollback'])

/** A comment proves nothing but who wrote it. Asked of the whole repository: a merge request deploys where it likes. */
async function refuseWhereProven(parts: EngineParts, repositoryId: string, verb: Verb): Promise<void> {
  const [asking] = await stepUpsOf(parts, repositoryId, null)
  if (!asking) return
  throw new TrueupError('STEP_UP_REQUIRED', {
    doing: `obeying /trueup ${verb}`,
    why: `environment "${asking.environment}" asks for the second factor, which a comment cannot prove`,
    next: 'Do it in Trueup.',
  })
}

/** Who names a stack means it: nothing is done where one of the names is wrong. */
function requireSome(
  { verb }: CommentCommand,
  { selected, unmatched, all }: { selected: unknown[]; unmatched: string[]; all: { key: string }[] },
): void {
  if (unmatched.length === 0 && (selected.length > 0 || all.length === 0)) return
  const has = all.slice(0, 10).map(({ key }) => key)
  throw new TrueupError('INVALID_REQUEST', {
    doing: `obeying /trueup ${verb}`,
    why:
      unmatched.length > 0
        ? `no stack of this merge request fits ${unmatched.join(', ')}`
        : 'no stack of this merge request is in those environments under those names',
    next: `It has ${has.join(', ') || 'none'}${all.length > has.length ? ` and ${all.length - has.length} more` : ''}.`,
  })
}
