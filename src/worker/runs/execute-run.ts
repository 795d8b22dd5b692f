import type { DriverPlan, Finding } from '../../domain/plans/plan.ts'
import type { Phase } from '../../domain/stacks/stack.ts'
import type { Driver, DriverContext } from '../../drivers/driver.ts'
import { driverNamed } from '../../drivers/registry.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Params } from '../protocol.ts'
import { traceRun } from '../tracing/run-trace.ts'
import type { Workspace } from '../workspace.ts'
import type { ActiveRun } from './active-run.ts'
import { applyPlan } from './apply-plan.ts'
import { runCommands } from './commands.ts'
import { endOf, type RunEnd } from './end.ts'
import { handOver } from './identity-tokens.ts'
import { enter, type Execution } from './execution.ts'
import { decryptTree } from '../sops/decrypt-tree.ts'
import { cacheRootOf, openSandbox, passedTo } from './in-sandbox.ts'
import { openLogStream, type LogStream } from './log-stream.ts'
import { maskPlan, withoutSecrets } from './mask-results.ts'
import { createMasker, type Masker } from './masking.ts'
import type { RunnerParts } from './parts.ts'
import { buildContext } from './run-context.ts'
import type { Offered } from './source.ts'

/** How a run left this worker; `left`: the server took it back with its decision. */
export type RunOutcome = Params<'finish'>['status'] | 'left'

/** Executes one granted run from the first step to its report. Never throws: what goes wrong is reported, or logged. */
export async function executeRun(run: ActiveRun, parts: RunnerParts): Promise<RunOutcome> {
  const { grant } = run
  const masker = createMasker()
  const log = runLog(run, parts, masker)
  const trace = traceRun(parts.tracing, grant)
  let outcome: RunOutcome = 'failed'
  const timer = setTimeout(
    () => run.stop({ kind: 'timed_out', why: `it took longer than ${grant.timeoutMs / 1000} s` }),
    grant.timeoutMs,
  )
  let workspace: Workspace | undefined
  const sandboxes: Execution['sandboxes'] = []
  try {
    workspace = await parts.workspaces.create(`${grant.runId}-${grant.fence}`).catch(async (thrown: unknown) => {
      throw await notBegun(run, parts, thrown)
    })
    const execution = { run, grant, parts, masker, log, trace, workspace, sandboxes, egressRefused: new Set<string>() }
    const end = await steps(execution).catch((thrown: unknown) => {
      parts.link.over.throwIfAborted()
      return endOf(run, thrown)
    })
    await report(execution, withRoom(end, parts))
    outcome = end.kind === 'left' ? 'left' : end.status
    return outcome
  } catch (thrown) {
    // Results that matter are on the disk; the next start reports them.
    if (parts.link.over.aborted) return (outcome = 'returned')
    const error = asTrueupError(thrown, `executing run ${grant.runId}`)
    parts.log.warn({ runId: grant.runId, code: error.code, why: error.message }, 'run not reported')
    return 'failed'
  } finally {
    clearTimeout(timer)
    trace.end(outcome)
    log.discard()
    await parts.source.left(grant).catch((error: unknown) => parts.log.error({ err: error }, 'clearing up after a run'))
    await Promise.all(sandboxes.map((sandbox) => sandbox.close()))
    if (workspace) await parts.workspaces.remove(workspace)
  }
}

/** A run whose workspace cannot be made is reported at once; the log says nothing, it has nowhere to come from. */
async function notBegun({ grant }: ActiveRun, { room, outbox }: RunnerParts, thrown: unknown): Promise<TrueupError> {
  const error = room.behind(thrown, 'making the workspace of the run')
  const { runId, fence } = grant
  await outbox.finish({ runId, fence, status: 'failed', error: error.toJSON(), verify: [] })
  return error
}

/** Whatever a full disk made a tool say: the reason is the disk. */
function withRoom(end: RunEnd, { room }: RunnerParts): RunEnd {
  if (end.kind === 'left' || end.status !== 'failed' || !end.error) return end
  return { ...end, error: room.behind(end.error, 'executing the run') }
}

async function steps(execution: Execution): Promise<RunEnd> {
  const { run, masker } = execution
  await enter(execution, 'preparing')
  const left = await fetchFiles(execution)
  const { grant } = execution
  const driver = driverNamed(grant.driver)
  const context = await contextFor(execution, driver, 'plan', grant)

  await enter(execution, 'planning')
  const toolVersions = await driver.versions(context)
  const isPreview = grant.kind === 'preview'
  const { planValidates } = driver.capabilitiesOf?.(context.config) ?? driver.capabilities
  const findings = isPreview && !planValidates ? await validate(driver, context) : []
  const checks = isPreview ? await runCommands(grant.checks, context, masker.text) : []
  const planned = await driver.plan(context).catch(async (thrown: unknown) => {
    if (isPreview && planValidates) await findCause(execution, driver, context)
    throw thrown
  })
  run.check()
  const plan: DriverPlan = {
    ...planned,
    findings: [...left, ...findings, ...planned.findings],
    toolVersions: { ...toolVersions, ...planned.toolVersions },
  }
  const decision = await submit(execution, driver, context, plan, checks)
  if (decision.action === 'stop') return { kind: 'left' }
  return await applyPlan(execution, driver, await contextFor(execution, driver, 'apply', decision), planned)
}

/**
 * From here on the grant is what this worker believes of it. What of the source is not there is said in the plan, and in
 * the log for a plan that fails of it.
 */
async function fetchFiles(execution: Execution): Promise<Finding[]> {
  const { run, parts, workspace, log } = execution
  const { grant, files } = await parts.source.fetch(execution.grant, workspace.tree, run.signal)
  execution.grant = grant
  const { submodules, keptLinks } = files
  await unseal(execution, workspace.tree)
  workspace.keptLinks = new Map(keptLinks)
  for (const submodule of submodules) log.line(`${submodule}: ${SUBMODULE_LEFT_OUT}`)
  return submodules.map((submodule) => ({
    severity: 'warning',
    code: 'submodule_left_out',
    message: SUBMODULE_LEFT_OUT,
    path: submodule,
  }))
}

/** What Git holds encrypted; code that nobody vouches for finds it as it is. */
async function unseal({ grant, masker, log }: Execution, directory: string): Promise<void> {
  if (!grant.sops) return
  if (grant.sandbox?.untrusted) return log.line('files of SOPS are not decrypted for a change that nobody vouches for')
  const paths = await decryptTree(directory, { env: process.env, hide: masker.add })
  for (const path of paths) log.line(`${path} is decrypted`)
}

const SUBMODULE_LEFT_OUT = 'a submodule is not fetched: this directory is empty'

/** The phase decides which variables and credentials there are, so the apply gets a context of its own. */
async function contextFor(
  execution: Execution,
  driver: Driver,
  phase: Phase,
  offered: Offered,
): Promise<DriverContext<unknown>> {
  const { grant, run, parts, workspace, masker, log, trace } = execution
  const { variables, formerSecrets = [], identityTokens = {} } = parts.source.variables(grant, offered)
  const { registry, graceMs, fleeting } = parts
  const sandbox = await openSandbox(execution, driver, phase)
  return buildContext(driver, {
    order: grant,
    phase,
    variables,
    formerSecrets,
    tokenEnv: await handOver(workspace, identityTokens, masker),
    ...(grant.deployedDiffers &&
      phase === 'plan' && {
        fetchDeployed: async (directory: string) => {
          await parts.source.fetchDeployed(grant, directory, run.signal)
          await unseal(execution, directory)
        },
      }),
    workspace,
    masker,
    cacheRoot: cacheRootOf(grant, parts.cacheRoot),
    passEnv: passedTo(grant, parts),
    ...(sandbox && { sandbox }),
    trace,
    registry,
    graceMs,
    ...(fleeting && { fleeting }),
    replaced: run.replaced,
    signal: run.signal,
    killSignal: run.killSignal,
    log: log.line,
  })
}

async function validate(driver: Driver, context: DriverContext<unknown>): Promise<Finding[]> {
  const findings = await driver.validate(context)
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return findings
  const shown = errors.slice(0, 5).map(({ path, line, message }) => [path, line, message].filter(Boolean).join(':'))
  throw new TrueupError('SOURCE_INVALID', {
    doing: `checking the source with driver "${driver.name}"`,
    why: [...shown, ...(errors.length > 5 ? [`and ${errors.length - 5} more`] : [])].join('; '),
  })
}

/** What a plan failed of is said best by `validate`, if it is the source: throws that then, and otherwise nothing. */
async function findCause({ run }: Execution, driver: Driver, context: DriverContext<unknown>): Promise<void> {
  if (run.stopped) return
  await validate(driver, context).catch((thrown: unknown) => {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') throw thrown
  })
}

async function submit(
  execution: Execution,
  driver: Driver,
  context: DriverContext<unknown>,
  plan: DriverPlan,
  checks: CommandResult[],
) {
  const { grant, run, parts, masker, log } = execution
  const codified =
    grant.codify && driver.codify && plan.changes.length > 0 ? await driver.codify(context, plan) : undefined
  const patches =
    codified &&
    withoutSecrets(codified, masker, (path) => log.line(`${path} holds a secret and is not proposed to Git`))
  // After a decision to stop, the run has left this worker and takes no log any more.
  await log.flush()
  const params: Params<'plan'> = {
    runId: grant.runId,
    fence: grant.fence,
    plan: maskPlan(plan, masker, context),
    checks,
    ...refusedOf(execution),
    ...(patches && {
      patches: patches.map((patch) => ({ ...patch, content: patch.content?.toString('base64') ?? null })),
    }),
  }
  return await parts.link.deliver('plan', params, run.signal)
}

/** What the server has not heard of yet; it does then. */
function refusedOf({ egressRefused, masker }: Execution): { egressRefused?: string[] } {
  // A name is a way to carry a secret out, too.
  const targets = [...egressRefused].map((target) => masker.text(target))
  egressRefused.clear()
  return targets.length === 0 ? {} : { egressRefused: targets }
}

async function report(execution: Execution, end: RunEnd): Promise<void> {
  const { run, grant, parts, masker, log } = execution
  if (end.kind === 'left') return
  if (end.error) {
    log.line('')
    for (const line of end.error.explain().split('\n')) log.line(line)
    if (end.error.code === 'INTERNAL') parts.log.error({ runId: grant.runId, err: end.error }, 'fault in a run')
  }
  // Without the lease the server takes neither log nor end; a finished apply has been handed to the outbox before.
  if (run.stopped?.kind === 'lease_lost') return
  await log.close()
  const { status, error, verify } = end
  await parts.outbox.finish({
    runId: grant.runId,
    fence: grant.fence,
    status,
    verify,
    ...refusedOf(execution),
    ...(error && { error: { ...masker.fields(error.toJSON()), code: error.code } }),
  })
}

function runLog(run: ActiveRun, parts: RunnerParts, masker: Masker): LogStream {
  const { runId, fence } = run.grant
  return openLogStream({
    masker,
    now: () => parts.now(),
    send: async (offset, text, times) =>
      (await parts.link.deliver('log', { runId, fence, offset, text, times }, run.killSignal)).next,
    onLost: (thrown) => {
      const error = asTrueupError(thrown, 'sending the log')
      if (error.code === 'LEASE_LOST') run.stop({ kind: 'lease_lost', why: error.text.why })
      else parts.log.warn({ runId, code: error.code, why: error.message }, 'log not sent to its end')
    },
  })
}
