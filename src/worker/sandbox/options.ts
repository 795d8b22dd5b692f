import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import {
  DEFAULT_LIMITS,
  type Limits,
  parseAllowed,
  parseLimits,
  SANDBOX_MODES,
  type SandboxMode,
  type SandboxSettings,
} from './settings.ts'

/** As the command line has it. */
export interface SandboxGiven {
  sandbox: SandboxMode
  sandboxRead: string[]
  sandboxAllow: string[]
  sandboxLimits: Limits
  sandboxHide?: string[]
}

/** Gives a command the options of sandboxes: `trueup runner`, and `trueup up` for its built-in one. */
export function withSandboxOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--sandbox <mode>',
        'plan in a sandbox: auto (code that nobody vouches for, stacks that ask for it), require (all), off',
      )
        .choices([...SANDBOX_MODES])
        .default('auto'),
    )
    .addOption(
      new Option('--sandbox-read <paths>', 'further paths that sandboxes see, read-only, separated by commas')
        .default([])
        .argParser(paths),
    )
    .addOption(
      new Option('--sandbox-allow <places>', 'HOST:PORT that every sandbox may reach, separated by commas')
        .default([])
        .argParser(parseAllowed),
    )
    .addOption(
      new Option('--sandbox-limits <limits>', 'such as memory=2048,cpu=600 (MiB, seconds, numbers)')
        .default(DEFAULT_LIMITS, 'docs/security.md has them')
        .argParser(parseLimits),
    )
}

/** Directories of a server on this machine, which its own runner is told. */
export const hideOption = (): Option => new Option('--sandbox-hide <paths>').argParser(paths).hideHelp()

/** @param hide directories that are seen by nobody, besides those that were given */
export const sandboxSettings = (given: SandboxGiven, hide: readonly string[]): SandboxSettings => ({
  mode: given.sandbox,
  read: given.sandboxRead,
  allow: given.sandboxAllow,
  limits: given.sandboxLimits,
  hide: [...hide, ...(given.sandboxHide ?? []), ...ageKeyFile()],
})

/** By the name that SOPS has for it: nothing of a run ever needs to see the file. */
const ageKeyFile = (): string[] => (process.env.SOPS_AGE_KEY_FILE ? [resolve(process.env.SOPS_AGE_KEY_FILE)] : [])

/** The words that give another program these settings. */
export const sandboxWords = ({ mode, read, allow, limits, hide }: SandboxSettings): string[] => [
  `--sandbox=${mode}`,
  `--sandbox-read=${read.join(',')}`,
  `--sandbox-allow=${allow.join(',')}`,
  `--sandbox-limits=${Object.entries(limits)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')}`,
  `--sandbox-hide=${hide.join(',')}`,
]

const paths = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
    .map((each) => resolve(each))
