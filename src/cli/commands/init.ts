import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { TrueupError } from '../../lib/errors/error.ts'
import { fields } from '../output.ts'
import type { Cli, CommandModule } from '../cli.ts'

interface InitOptions {
  yes?: boolean
  print?: boolean
  env: string[]
}

/** `trueup init`: looks at a repository and writes a trueup.yaml to start from. */
export const initCommand: CommandModule = (program, cli) => {
  program
    .command('init')
    .description('look at a repository and write its trueup.yaml; needs no server')
    .argument('[directory]', 'a directory of the repository', '.')
    .option('--env <names...>', 'environments to declare', ['production'])
    .option('--yes', 'write without asking, as when no terminal is there')
    .option('--print', 'write nothing: print the file')
    .addHelpText('after', '\nExample:\n  $ trueup init --print')
    .action(async (directory: string, options: InitOptions, command) => {
      const { openWorkingTree, CONFIG_FILE } = await import('../local/working-tree.ts')
      const { proposeConfig } = await import('../local/propose.ts')
      const output = cli.output(command)
      const tree = await openWorkingTree(resolve(cli.cwd, directory))
      const file = join(tree.root, CONFIG_FILE)
      // Not by the files of the tree: Git may ignore it.
      if (!options.print && (await tree.read(CONFIG_FILE)) !== null) {
        throw new TrueupError('CONFLICT', {
          doing: `writing ${file}`,
          why: 'it exists',
          next: 'Change it by hand (`trueup validate` checks it), or look at a proposal with `trueup init --print`.',
        })
      }
      const { text, stacks, left } = await proposeConfig(tree, options.env)
      if (options.print) {
        output.result({ text, stacks, left }, () => text)
        return
      }
      if (!output.json) {
        output.note(
          stacks.length === 0
            ? `No stack was recognised among ${tree.files.length} files: the file will hold an example.`
            : fields([['PATH', 'DRIVER'], ...stacks.map(({ path, driver }) => [path, driver] as const)]),
        )
        if (left.length > 0) output.note(`Left to other tools, which deploy them (named in the file): ${left.length}`)
      }
      if (!options.yes && !(await confirmed(cli, `Write ${file}? [Y/n] `))) {
        throw new TrueupError('CANCELED', {
          doing: `writing ${file}`,
          why: 'it was not confirmed',
          next: 'Use --print to only look.',
        })
      }
      await writeFile(file, text, { flag: 'wx' })
      output.result(
        { file, stacks, left },
        () => `Wrote ${file}. Next: look at it, then \`trueup validate\` and \`trueup plan\`.`,
      )
    })
}

/** A script cannot be asked and need not be: the file is new, and what it proposes only takes effect in a commit. */
async function confirmed({ stdin, streams, signal }: Cli, question: string): Promise<boolean> {
  if (!stdin.isTTY) return true
  const lines = createInterface({ input: stdin, output: streams.err })
  try {
    return /^(y|yes|)$/i.test((await lines.question(question, { signal })).trim())
  } finally {
    lines.close()
  }
}
