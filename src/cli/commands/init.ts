import { writeFile } from 'node:fs/promises'
import { join, posix, relative, resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import { Option } from 'commander'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { layoutOf } from '../output.ts'
import type { Cli, CommandModule } from '../cli.ts'
import type { WorkingTree } from '../local/working-tree.ts'
import type { Draft } from '../init/text.ts'

interface InitOptions {
  yes?: boolean
  print?: boolean
  explain?: string
  replace?: 'flux' | 'argocd'
  env?: string[]
}

const HELP = `
It only looks: nothing is run, and the file takes effect once it is committed. What could hit the wrong place is written as a
comment. On a terminal entries can be taken in, dropped, renamed and regrouped before the file is written.

Examples:
  $ trueup init --print
  $ trueup init --explain deploy/web
  $ trueup init --replace flux --print`

/** `trueup init`: looks at a repository and writes a trueup.yaml to start from. */
export const initCommand: CommandModule = (program, cli) => {
  program
    .command('init')
    .description('look at a repository and write its trueup.yaml; needs no server')
    .argument('[directory]', 'a directory of the repository', '.')
    .option('--env <names...>', 'environments to declare; those that the repository shows where absent')
    .option('--yes', 'write without asking, as when no terminal is there')
    .option('--print', 'write nothing: print the file')
    .option('--explain <path>', 'write nothing: say what is thought of a path and why')
    .addOption(
      new Option('--replace <tool>', 'propose stacks for what this tool deploys now').choices(['flux', 'argocd']),
    )
    .addHelpText('after', HELP)
    .action(async (directory: string, options: InitOptions, command) => {
      const { openWorkingTree, CONFIG_FILE } = await import('../local/working-tree.ts')
      const { draft } = await import('../init/draft.ts')
      const { draftText, explanation } = await import('../init/show.ts')
      const { textOf } = await import('../init/text.ts')
      const output = cli.output(command)
      const tree = await openWorkingTree(resolve(cli.cwd, directory))
      const file = join(tree.root, CONFIG_FILE)
      const looksOnly = options.print === true || options.explain !== undefined
      // Not by the files of the tree: Git may ignore it.
      if (!looksOnly && (await tree.read(CONFIG_FILE)) !== null) {
        throw new TrueupError('CONFLICT', {
          doing: `writing ${file}`,
          why: 'it exists',
          next: 'Change it by hand (`trueup validate` checks it), or look at a proposal with `trueup init --print`.',
        })
      }
      const replace = options.replace === 'flux' ? 'Flux' : options.replace === 'argocd' ? 'Argo CD' : null
      output.progress(`looking at ${tree.files.length} files…`)
      let current = await draft(tree, { environments: options.env ?? null, replace })
      output.endProgress()
      const result = (): object => ({
        environments: current.environments,
        stacks: current.entries,
        leftOut: current.leftOut,
      })
      if (options.explain !== undefined) {
        const path = posix.normalize(relative(tree.root, resolve(cli.cwd, options.explain)) || '.').replace(/\/$/, '')
        output.result({ path, ...result() }, (layout) => explanation(current, path, tree.files, layout))
        return
      }
      if (options.print) {
        output.result({ text: textOf(current), ...result() }, () => textOf(current))
        return
      }
      const show = (): void => {
        if (output.json) return
        if (current.entries.length === 0)
          output.note(`No stack was recognised among ${tree.files.length} files: the file will hold an example.`)
        const shown = draftText(current, layoutOf(cli.streams.err))
        if (shown !== '') output.note(shown)
      }
      show()
      if (!options.yes && cli.stdin.isTTY) {
        current = await settled(cli, { file, tree, draft: current, show: (next) => ((current = next), show()) })
      }
      await writeFile(file, textOf(current), { flag: 'wx' })
      const next = 'Next: look at it, then `trueup validate` and `trueup plan`.'
      output.result({ file, ...result() }, () => `Wrote ${file}. ${next}`)
    })
}

interface Asking {
  file: string
  tree: WorkingTree
  draft: Draft
  /** Shows a changed draft. */
  show: (draft: Draft) => void
}

/**
 * The draft that a person agrees to. A script cannot be asked and need not be: the file is new, what could do harm waits in
 * comments, and the rest only takes effect in a commit.
 */
async function settled(cli: Cli, { file, tree, draft: first, show }: Asking): Promise<Draft> {
  const { edited, EDITS } = await import('../init/edit.ts')
  const { repaired } = await import('../init/draft.ts')
  const lines = createInterface({ input: cli.stdin, output: cli.streams.err })
  try {
    for (let draft = first; ; ) {
      const said = await answer(lines, `Write ${file}? [Y/n/?] `, cli.signal)
      if (/^(y|yes|)$/i.test(said)) return draft
      if (/^(n|no|q|quit)$/i.test(said)) {
        const doing = `writing ${file}`
        throw new TrueupError('CANCELED', { doing, why: 'it was not confirmed', next: 'Use --print to only look.' })
      }
      if (said === '?') {
        cli.streams.err.write(`${EDITS}\n`)
        continue
      }
      try {
        draft = await repaired(edited(draft, said), tree)
        show(draft)
      } catch (thrown) {
        const { code, text, next } = asTrueupError(thrown, `reading "${said}"`)
        if (code === 'CANCELED') throw thrown
        cli.streams.err.write(`${text.why}\n${next}\n`)
      }
    }
  } finally {
    lines.close()
  }
}

const answer = async (lines: Interface, question: string, signal: AbortSignal): Promise<string> =>
  (await lines.question(question, { signal })).trim()
