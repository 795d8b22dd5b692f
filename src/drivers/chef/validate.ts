import { join } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { workspaceFiles } from '../hosts/workspace-files.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import type { ChefConfig } from './config.ts'
import { type Cookbook, cookbooksOf } from './source/cookbooks.ts'
import { type ChefSource, findSource } from './source/source.ts'
import { findCookstyleIfAny, findRubyIfAny } from './tool/tool.ts'

/** Files that are parsed; larger cookbook collections are checked by the plan. */
const MAX_FILES = 500

const CookstyleAnswer = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      offenses: z.array(
        z.object({
          severity: z.string(),
          message: z.string(),
          cop_name: z.string(),
          location: z.object({ line: z.int() }),
        }),
      ),
    }),
  ),
})

/**
 * Checks run list, lock and cookbooks without any host: that they are there, that Ruby can parse them (where the worker has
 * Ruby), and what Cookstyle says (where it has that).
 */
export async function validate(context: DriverContext<ChefConfig>): Promise<Finding[]> {
  const { read, list } = workspaceFiles(context)
  const source = await findSource(read, list, context.stack.path, context.config).catch((thrown: unknown) => {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return thrown
    throw thrown
  })
  if (source instanceof TrueupError) {
    const { file } = source.text.details ?? {}
    const message = `${source.text.why}. ${source.next}`
    return [{ severity: 'error', message, path: typeof file === 'string' ? file : context.stack.path }]
  }
  const directories = [...source.cookbookPath, ...Object.values(source.single)]
  const files = (await Promise.all(directories.map((each) => list(each)))).flat()
  const programs = files.filter((file) => /\/(recipes|attributes|resources|libraries|providers)\/.*\.rb$/.test(file))
  return [
    ...missingRecipes(source, files),
    ...missingCookbooks(await cookbooksOf(read, list, source)),
    ...(await parse(context, programs.slice(0, MAX_FILES))),
    ...(await cookstyle(context, directories)),
  ]
}

/** Recipes of the run list whose cookbook lies in the repository, but has no such recipe; and cookbooks that do not. */
function missingRecipes({ runList, cookbookPath, single }: ChefSource, files: readonly string[]): Finding[] {
  return runList.flatMap((entry): Finding[] => {
    const name = /^(?:recipe\[)?([\w-]+)(?:::([\w-]+))?(?:@[\d.]+)?\]?$/.exec(entry)
    if (name === null || entry.startsWith('role[')) return []
    const [, cookbook, recipe = 'default'] = name
    const homes = [...cookbookPath.map((directory) => `${directory}/${cookbook}`), single[cookbook!] ?? '']
    const wanted = homes.flatMap((home) => [
      `${home}/recipes/${recipe}.rb`,
      `${home}/recipes/${recipe}.yml`,
      `${home}/recipe.rb`,
    ])
    if (wanted.some((file) => files.includes(file))) return []
    return [
      {
        severity: 'error',
        code: 'recipe_missing',
        message: `${entry}: no cookbook of the repository has this recipe`,
        path: homes[0]!,
      },
    ]
  })
}

/** Dependencies that no cookbook directory has: Chef says of them `412 "Precondition Failed"`. */
function missingCookbooks(cookbooks: readonly Cookbook[]): Finding[] {
  const there = new Set(cookbooks.map(({ name }) => name))
  return cookbooks.flatMap(({ name: dependent, depends }) =>
    depends
      .filter(({ name }) => !there.has(name))
      .map(
        ({ name, path, line }): Finding => ({
          severity: 'error',
          code: 'cookbook_missing',
          message: `cookbook ${dependent} depends on ${name}, which is in none of the stack's cookbook directories`,
          path,
          ...(line !== undefined && { line }),
        }),
      ),
  )
}

async function parse(context: DriverContext<ChefConfig>, files: string[]): Promise<Finding[]> {
  const ruby = files.length === 0 ? null : await findRubyIfAny(context)
  if (ruby === null) return []
  // One process for all: starting one for each takes longer than the parsing.
  const script =
    'ARGV.each { |f| begin; RubyVM::InstructionSequence.compile_file(f); rescue SyntaxError => e; puts e.message.lines.first; end }'
  const result = await context.run({
    argv: [
      ruby.path,
      '--disable-gems',
      '-W0',
      '-e',
      script,
      '--',
      ...files.map((file) => join(context.workspace, file)),
    ],
    cwd: context.scratch,
    env: context.env,
    quiet: true,
    graceMs: 2_000,
  })
  checkEnded(`parsing the cookbooks of stack "${context.stack.name}"`, result)
  return result.stdout
    .split('\n')
    .map((line) => /^(\/.*?):(\d+): (.*)$/.exec(line))
    .filter((found) => found !== null)
    .map(([, path, line, message]) => ({
      severity: 'error',
      message: message!,
      path: path!.slice(context.workspace.length + 1),
      line: Number(line),
    }))
}

async function cookstyle(context: DriverContext<ChefConfig>, directories: string[]): Promise<Finding[]> {
  const tool = directories.length === 0 ? null : await findCookstyleIfAny(context)
  if (tool === null) return []
  const doing = `checking stack "${context.stack.name}" with Cookstyle`
  const result = await context.run({
    argv: [tool.path, '--format', 'json', ...directories],
    cwd: context.workspace,
    env: context.env,
    quiet: true,
    graceMs: 2_000,
  })
  checkEnded(doing, result)
  let answer: z.infer<typeof CookstyleAnswer>
  try {
    answer = CookstyleAnswer.parse(JSON.parse(result.stdout))
  } catch {
    throw toolFailed(doing, result)
  }
  return answer.files.flatMap(({ path, offenses }) =>
    offenses.map(({ severity, message, cop_name, location }) => ({
      severity: severity === 'fatal' ? ('error' as const) : ('warning' as const),
      code: `cookstyle:${cop_name}`,
      message,
      path,
      line: location.line,
    })),
  )
}
