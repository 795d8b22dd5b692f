import { z } from 'zod'
import { Done } from '../../server/schemas/common.ts'
import { DriftRecord } from '../../server/schemas/drift.ts'
import { Environment, Freeze, Notice } from '../../server/schemas/environments.ts'
import { Comment, Commit, FileDiff, MrDetail, MrSummary } from '../../server/schemas/merge-requests.ts'
import { Committed } from '../../server/schemas/mr-edits.ts'
import { RunDetail, RunSummary } from '../../server/schemas/plans.ts'
import { ManagedPlace, StackResources } from '../../server/schemas/stack-parts.ts'
import { Deployment, Quarantine, Stack, StackDetail } from '../../server/schemas/stacks.ts'
import { StateDiff, StateInfo, StateObjects } from '../../server/schemas/states.ts'
import { Variable } from '../../server/schemas/variables.ts'

/** A merge request and what it led to. */
const Enacted = z.object({ mr: MrDetail, runs: z.array(RunSummary) }).meta({ id: 'Enacted' })

const Orders = z
  .object({
    runs: z.array(z.union([RunDetail, RunSummary])),
    skipped: z
      .array(z.object({ stack: z.string(), why: z.string() }))
      .meta({ description: 'stacks for which there is none now' }),
  })
  .meta({ id: 'Orders' })

const FoundDrift = Orders.extend({
  drift: z.array(DriftRecord).optional().meta({ description: 'with --wait: what was found' }),
}).meta({ id: 'FoundDrift' })

const ShownMergeRequest = MrDetail.extend({
  plans: z.array(RunDetail).optional().meta({ description: 'with --plan' }),
  diff: z.array(FileDiff).optional().meta({ description: 'with --diff' }),
}).meta({ id: 'ShownMergeRequest' })

/** With --wait what became of it, else as it was ordered. */
const Ordered = z.union([RunDetail, RunSummary])

/** What commands print about changes and what became of them; by command, without `trueup`. */
export const CHANGE_OUTPUTS = {
  'mr list': z.array(MrSummary),
  'mr create': MrDetail,
  'mr show': ShownMergeRequest,
  'mr approve': MrDetail,
  'mr lift': MrDetail,
  'mr request-changes': MrDetail,
  'mr withdraw': Done,
  'mr merge': z.union([MrDetail, Enacted]),
  'mr checkout': z.object({ number: z.number(), branch: z.string(), head: z.string() }),
  'mr commits': z.array(Commit),
  'mr diff': z.array(FileDiff),
  'mr close': MrDetail,
  'mr reopen': MrDetail,
  'mr plan': Done,
  'mr edit': MrDetail,
  'mr comment': Comment,
  'mr comments': z.array(Comment),
  'mr resolve': Done,
  'mr commit': Committed,
  'mr apply': Committed,
  'run list': z.array(RunSummary),
  'run show': RunDetail,
  'run logs': z.object({ run: z.string(), text: z.string() }),
  'run watch': RunDetail,
  'run approve': RunDetail,
  'run cancel': RunDetail,
  'run retry': RunDetail,
  'stack list': z.array(Stack),
  'stack show': StackDetail,
  'stack remove': z.object({ run: RunSummary.nullable() }),
  'stack forget': z.object({ run: RunSummary.nullable() }),
  'stack deploy': Ordered,
  'stack quarantine': z.array(Quarantine),
  'stack unquarantine': Quarantine,
  'stack resources': StackResources,
  'stack places': z.array(ManagedPlace),
  status: z.array(Stack),
  deployments: z.array(Deployment),
  'drift list': z.array(DriftRecord),
  'drift check': FoundDrift,
  'drift heal': Orders,
  'drift codify': z.object({ run: Ordered.optional(), mr: z.number().nullable().optional() }),
  'drift accept': DriftRecord,
  rollback: z.union([MrDetail, Enacted]),
  'env list': z.array(Environment),
  'env show': Environment,
  'env freeze': Freeze,
  'env unfreeze': z.array(Freeze),
  'env notice': Notice,
  'env withdraw': z.array(Notice),
  'variable list': z.array(Variable),
  'variable set': Variable,
  'variable delete': Variable,
  'state show': StateInfo,
  'state list': StateObjects,
  'state diff': StateDiff,
  'state mv': Ordered,
  'state rm': Ordered,
  'state restore': z.object({ version: z.number(), serial: z.number() }),
  'state unlock': Done,
}
