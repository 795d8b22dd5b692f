import type { CommandModule } from '../cli.ts'
import { auditCommands } from './audit.ts'
import { backupCommands } from './backup.ts'
import { completionCommand } from './completion.ts'
import { driftCommands } from './drift.ts'
import { environmentCommands } from './env.ts'
import { doctorCommand } from './doctor.ts'
import { demoCommand } from './demo.ts'
import { gitCredentialCommand } from './git-credential.ts'
import { initCommand } from './init.ts'
import { openCommand } from './open.ts'
import { planCommand } from './plan.ts'
import { validateCommand } from './validate.ts'
import { loginCommands } from './login.ts'
import { memberCommands } from './member.ts'
import { mrCommands } from './mr.ts'
import { recoverAdminCommand } from './recover-admin.ts'
import { repositoryCommands } from './repo.ts'
import { rollbackCommand } from './rollback.ts'
import { runCommands } from './run.ts'
import { runnerCommand } from './runner.ts'
import { stackCommands } from './stack.ts'
import { stateCommands } from './state.ts'
import { teamCommands } from './team.ts'
import { tokenCommands } from './token.ts'
import { variableCommands } from './variable.ts'
import { upCommand } from './up.ts'
import { userCommands } from './user.ts'
import { versionCommand } from './version.ts'
import { workerCommands } from './worker.ts'

/** Every command, in the order of `trueup --help`; a new one is a file and a line here. */
export const COMMANDS: readonly CommandModule[] = [
  upCommand,
  demoCommand,
  initCommand,
  validateCommand,
  planCommand,
  loginCommands,
  openCommand,
  repositoryCommands,
  mrCommands,
  runCommands,
  stackCommands,
  driftCommands,
  rollbackCommand,
  environmentCommands,
  variableCommands,
  stateCommands,
  memberCommands,
  userCommands,
  teamCommands,
  tokenCommands,
  workerCommands,
  runnerCommand,
  auditCommands,
  backupCommands,
  recoverAdminCommand,
  doctorCommand,
  gitCredentialCommand,
  completionCommand,
  versionCommand,
]
