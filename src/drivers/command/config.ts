import { z } from 'zod'

const shellCommand = z.string().min(1).max(20_000)

/** Shell commands, run by `shell -c` in the stack's directory. */
export const ShellConfig = z.strictObject({
  /** Says on stdout what would change. Exit code 0 = nothing, 2 = there are changes, anything else = an error. */
  plan: shellCommand,
  /** Makes the changes; exit code 0 = done. */
  apply: shellCommand,
  /** Used instead of `plan` in drift runs; same exit codes. */
  drift: shellCommand.optional(),
  /** Checks the source without reaching the target; exit code 0 = fine. */
  validate: shellCommand.optional(),
  /** Removes everything the stack made; without it the stack cannot be destroyed. */
  destroy: shellCommand.optional(),
  /** Prints the tool's version on its first line. */
  version: shellCommand.optional(),
  shell: z.string().startsWith('/', 'an absolute path: /bin/sh').default('/bin/sh'),
  /** `json`: stdout of `plan` is `{"changes": […]}`; `text` (the default): any text. */
  planFormat: z.enum(['text', 'json']).default('text'),
  /** Applying twice, or after a kill half-way, gives the same end. */
  idempotent: z.boolean().default(false),
})
export type ShellConfig = z.infer<typeof ShellConfig>

/** An executable that speaks the driver protocol of docs/driver-protocol.md. */
export const ExecutableConfig = z.strictObject({
  /** `./driver.py`: relative to the stack's directory; a name without a slash is looked up in PATH. */
  executable: z.string().min(1).max(4096),
  args: z.array(z.string()).max(100).default([]),
  /** Handed to the executable as it stands. */
  settings: z.record(z.string(), z.json()).default({}),
  idempotent: z.boolean().default(false),
  /** The executable understands requests with `"destroy": true`. */
  destroy: z.boolean().default(false),
})
export type ExecutableConfig = z.infer<typeof ExecutableConfig>

export type CommandConfig = ShellConfig | ExecutableConfig
export const CommandConfig: z.ZodType<CommandConfig> = z.union([ShellConfig, ExecutableConfig], {
  error: (issue) => explain(issue.input),
})

export const isExecutable = (config: CommandConfig): config is ExecutableConfig => 'executable' in config

/** "No member of the union fits" helps nobody: says what is wrong with the member that was meant. */
function explain(input: unknown): string {
  const given = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {}
  if (!('executable' in given) && !('plan' in given) && !('apply' in given))
    return 'either `plan` and `apply` (shell commands) or `executable` is needed'
  const parsed = ('executable' in given ? ExecutableConfig : ShellConfig).safeParse(given)
  const [issue] = parsed.error?.issues ?? []
  return issue ? `${issue.path.join('.') || 'with'}: ${issue.message}` : 'not a configuration of driver "command"'
}
