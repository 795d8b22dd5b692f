import type { CommandModule } from '../cli.ts'

/** One module of commands, loaded only when one of its words is called: the whole of them costs seconds on a small machine. */
interface CommandGroup {
  /** Words that may follow `trueup`. */
  names: readonly string[]
  load: () => Promise<CommandModule>
}

/** Every command, in the order of `trueup --help`; a new one is a file and a line here. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { names: ['up'], load: async () => (await import('./up.ts')).upCommand },
  { names: ['demo'], load: async () => (await import('./demo.ts')).demoCommand },
  { names: ['init'], load: async () => (await import('./init.ts')).initCommand },
  { names: ['import'], load: async () => (await import('./import.ts')).importCommand },
  { names: ['validate'], load: async () => (await import('./validate.ts')).validateCommand },
  { names: ['plan'], load: async () => (await import('./plan.ts')).planCommand },
  { names: ['ci'], load: async () => (await import('./ci.ts')).ciCommands },
  { names: ['login', 'logout', 'whoami', 'password'], load: async () => (await import('./login.ts')).loginCommands },
  { names: ['open'], load: async () => (await import('./open.ts')).openCommand },
  { names: ['repo'], load: async () => (await import('./repo.ts')).repositoryCommands },
  { names: ['mr'], load: async () => (await import('./mr.ts')).mrCommands },
  { names: ['run'], load: async () => (await import('./run.ts')).runCommands },
  { names: ['stack', 'status', 'deployments'], load: async () => (await import('./stack.ts')).stackCommands },
  { names: ['drift'], load: async () => (await import('./drift.ts')).driftCommands },
  { names: ['verify'], load: async () => (await import('./verify.ts')).verifyCommand },
  { names: ['rollback'], load: async () => (await import('./rollback.ts')).rollbackCommand },
  { names: ['env'], load: async () => (await import('./env.ts')).environmentCommands },
  { names: ['variable'], load: async () => (await import('./variable.ts')).variableCommands },
  { names: ['state'], load: async () => (await import('./state.ts')).stateCommands },
  { names: ['member'], load: async () => (await import('./member.ts')).memberCommands },
  { names: ['user'], load: async () => (await import('./user.ts')).userCommands },
  { names: ['team'], load: async () => (await import('./team.ts')).teamCommands },
  { names: ['sso'], load: async () => (await import('./sso.ts')).ssoCommands },
  { names: ['token'], load: async () => (await import('./token.ts')).tokenCommands },
  { names: ['session'], load: async () => (await import('./session.ts')).sessionCommands },
  {
    names: ['second-factor'],
    load: async () => (await import('./second-factor.ts')).secondFactorCommands,
  },
  { names: ['worker'], load: async () => (await import('./worker.ts')).workerCommands },
  { names: ['runner'], load: async () => (await import('./runner.ts')).runnerCommand },
  { names: ['agent'], load: async () => (await import('./agent.ts')).agentCommand },
  { names: ['issuer'], load: async () => (await import('./issuer.ts')).issuerCommands },
  { names: ['audit'], load: async () => (await import('./audit.ts')).auditCommands },
  { names: ['database'], load: async () => (await import('./database.ts')).databaseCommands },
  { names: ['backup', 'restore'], load: async () => (await import('./backup.ts')).backupCommands },
  { names: ['recover-admin'], load: async () => (await import('./recover-admin.ts')).recoverAdminCommand },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).doctorCommand },
  { names: ['git-credential'], load: async () => (await import('./git-credential.ts')).gitCredentialCommand },
  { names: ['explain'], load: async () => (await import('./explain.ts')).explainCommand },
  { names: ['completion'], load: async () => (await import('./completion.ts')).completionCommand },
  {
    names: ['completion-values'],
    load: async () => (await import('./completion-values.ts')).completionValuesCommand,
  },
  { names: ['version'], load: async () => (await import('./version.ts')).versionCommand },
]

/** Options of the program that take a value in the next word. */
const VALUED = new Set(['-o', '--output', '--url'])

/**
 * The modules that a command line needs: one, where it begins with a command, and all of them for everything else (help,
 * completion, a misspelt word).
 */
export async function commandModules(argv: readonly string[] = []): Promise<CommandModule[]> {
  const word = argv[wordAt(argv)]
  const group = COMMAND_GROUPS.find(({ names }) => word !== undefined && names.includes(word))
  const needed = group && word !== 'completion' ? [group] : COMMAND_GROUPS
  return await Promise.all(needed.map((one) => one.load()))
}

/** Where the first word stands that is no option of the program with a value. */
function wordAt(argv: readonly string[]): number {
  let at = 0
  while (at < argv.length && (VALUED.has(argv[at]!) || /^(-o.|--(output|url)=)/.test(argv[at]!)))
    at += VALUED.has(argv[at]!) ? 2 : 1
  return at
}
