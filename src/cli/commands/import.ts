import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import { TrueupError } from '../../lib/errors/error.ts'
import type { CommandModule } from '../cli.ts'
import { TOOLS, type Tool } from '../import/imported.ts'
import { layoutOf } from '../output.ts'

interface ImportOptions {
  from?: Tool[]
  print?: boolean
}

/** `trueup import`: the trueup.yaml that says what another tool's configuration says. */
export const importCommand: CommandModule = (program, cli) => {
  program
    .command('import')
    .description('write the trueup.yaml that says what the configuration of another tool says; needs no server')
    .argument('[directory]', 'a directory of the repository', '.')
    .addOption(new Option('--from <tools...>', 'only of these (default: all that are found)').choices([...TOOLS]))
    .option('--print', 'write nothing: print the file')
    .addHelpText(
      'after',
      `
Reads atlantis.yaml, .terrateam/config.yml, digger.yml, Applications and ApplicationSets of Argo CD, and Kustomizations of Flux.
What has no equal stands at the end of the file with what to do instead. Nothing else is read, changed or asked.

Examples:
  $ trueup import --print
  $ trueup import --from atlantis`,
    )
    .action(async (directory: string, options: ImportOptions, command) => {
      const { openWorkingTree, CONFIG_FILE } = await import('../local/working-tree.ts')
      const { importAll } = await import('../import/all.ts')
      const { draftOf } = await import('../import/to-draft.ts')
      const { repaired } = await import('../init/draft.ts')
      const { draftText, noEqualText } = await import('../init/show.ts')
      const { textOf } = await import('../init/text.ts')
      const output = cli.output(command)
      const tree = await openWorkingTree(resolve(cli.cwd, directory))
      const file = join(tree.root, CONFIG_FILE)
      if (!options.print && (await tree.read(CONFIG_FILE)) !== null)
        throw new TrueupError('CONFLICT', {
          doing: `writing ${file}`,
          why: 'it exists',
          next: 'Look at what would be written with `trueup import --print`, and take over what is missing.',
        })
      output.progress(`looking at ${tree.files.length} files…`)
      const imported = await importAll(tree, options.from ?? [...TOOLS])
      const draft = await repaired(draftOf(imported), tree)
      output.endProgress()
      const result = {
        from: imported.map(({ tool, files }) => ({ tool, files })),
        environments: draft.environments.map(({ name, tier }) => ({ name, tier })),
        stacks: draft.entries,
        noEqual: draft.noEqual ?? [],
      }
      if (options.print) {
        output.result({ text: textOf(draft), ...result }, () => textOf(draft))
        return
      }
      await writeFile(file, textOf(draft), { flag: 'wx' })
      if (!output.json) {
        const layout = layoutOf(cli.streams.err)
        for (const text of [draftText(draft, layout), noEqualText(draft, layout)]) if (text !== '') output.note(text)
      }
      const next = 'Next: look at it, then `trueup validate` and `trueup plan`: every plan should be empty.'
      output.result({ file, ...result }, () => `Wrote ${file}. ${next}`)
    })
}
