import { Argument, type Command } from 'commander'
import type { CommandModule } from '../cli.ts'
import { renderCompletion, SHELLS, type Shell } from '../completion.ts'

/** `trueup completion bash|zsh|fish`: prints the script that the shell loads. */
export const completionCommand: CommandModule = (program, cli) => {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(trueup completion bash)
  $ trueup completion zsh > "\${fpath[1]}/_trueup"
  $ trueup completion fish > ~/.config/fish/completions/trueup.fish`,
    )
    .action((shell: Shell) => {
      cli.streams.out.write(renderCompletion(root(program), shell))
    })
}

function root(command: Command): Command {
  return command.parent ? root(command.parent) : command
}
