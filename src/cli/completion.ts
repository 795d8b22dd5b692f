import type { Command } from 'commander'
import { kindOfArgument, kindOfOption, type ValueKind } from './completion-kinds.ts'
import { everyCommand } from './program.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** One command and what may follow it, each with its description. */
interface Node {
  /** Words after `trueup`, joined by a space; empty for the root. */
  path: string
  commands: Word[]
  options: Word[]
  /** What its first argument names, where that can be listed. */
  kind: ValueKind | null
}

interface Word {
  text: string
  about: string
}

/** A script that knows all words by itself; only for names that are on a server, or in a trueup.yaml, it calls trueup. */
export function renderCompletion(program: Command, shell: Shell): string {
  const nodes = [...nodesOf(program, '', optionsOf(program))]
  const valued = valuedOptions(program)
  if (shell === 'bash') return bash(nodes, valued)
  return shell === 'zsh' ? zsh(nodes, valued) : fish(nodes, valued)
}

function* nodesOf(command: Command, path: string, inherited: Word[]): Generator<Node> {
  const commands = command.commands.filter((child) => !isHidden(child))
  yield {
    path,
    commands: commands.map((child) => ({ text: child.name(), about: firstLine(child.description()) })),
    options: path === '' ? inherited : [...optionsOf(command), ...inherited],
    kind: command.registeredArguments[0] ? kindOfArgument(command.registeredArguments[0], command) : null,
  }
  for (const child of commands) yield* nodesOf(child, `${path} ${child.name()}`.trim(), inherited)
}

function optionsOf(command: Command): Word[] {
  return command.options
    .filter((option) => !option.hidden && option.long)
    .map((option) => ({ text: option.long!, about: firstLine(option.description) }))
}

/** Options whose values can be listed, by kind. */
function valuedOptions(program: Command): [kind: ValueKind, options: string[]][] {
  const found = new Map<ValueKind, Set<string>>()
  for (const command of everyCommand(program))
    for (const option of command.options) {
      const kind = kindOfOption(option)
      if (kind !== null) found.set(kind, (found.get(kind) ?? new Set()).add(option.long!))
    }
  return [...found].map(([kind, options]) => [kind, [...options].toSorted()])
}

type Valued = ReturnType<typeof valuedOptions>

const isHidden = (command: Command): boolean => (command as unknown as { _hidden?: boolean })._hidden === true
const firstLine = (text: string): string => text.split('\n')[0] ?? ''
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The longest known path of command words on the line; words after options or arguments do not lengthen it. */
function bash(nodes: Node[], valued: Valued): string {
  const cases = nodes.map(
    (node) =>
      `    ${quote(node.path)}) commands=${quote(texts(node.commands))}; options=${quote(texts(node.options))}; kind=${node.kind ?? ''} ;;`,
  )
  const before = valued.map(([kind, options]) => `    ${options.join('|')}) kind=${kind} ;;`)
  return `# bash completion of trueup
_trueup_words() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_trueup() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= commands= options= kind= i
  _trueup_words ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    _trueup_words "\${path:+$path }\${COMP_WORDS[i]}" && path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${before.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ \${COMP_WORDS[COMP_CWORD-1]} == --output || \${COMP_WORDS[COMP_CWORD-1]} == -o ]]; then
    COMPREPLY=($(compgen -W 'text json' -- "$current"))
  elif [[ -n $kind ]]; then
    COMPREPLY=($(compgen -W "$(trueup completion-values "$kind" 2>/dev/null)" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F _trueup trueup
`
}

function zsh(nodes: Node[], valued: Valued): string {
  const describe = (words: Word[]) => words.map((word) => quote(`${word.text}:${word.about}`)).join(' ')
  const cases = nodes.map(
    (node) =>
      `    ${quote(node.path)}) commands=(${describe(node.commands)}); options=(${describe(node.options)}); kind=${node.kind ?? ''} ;;`,
  )
  const before = valued.map(([kind, options]) => `    ${options.join('|')}) kind=${kind} ;;`)
  return `#compdef trueup
_trueup_words() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_trueup() {
  local at= i kind=
  local -a commands options
  _trueup_words ''
  for ((i = 2; i < CURRENT; i++)); do
    _trueup_words "\${at:+$at }\${words[i]}" && at="\${at:+$at }\${words[i]}"
  done
  case "\${words[CURRENT-1]}" in
${before.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe 'option' options
  elif [[ -n $kind ]]; then
    compadd -- \${(f)"$(trueup completion-values "$kind" 2>/dev/null)"}
  elif (( \${#commands} )); then
    _describe 'command' commands
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_trueup" ]; then _trueup "$@"; else compdef _trueup trueup; fi
`
}

function fish(nodes: Node[], valued: Valued): string {
  const lines = nodes.flatMap((node) => {
    const condition = `-n ${quote(`__trueup_at ${quote(node.path)}`)}`
    return [
      ...node.commands.map((word) => `complete -c trueup -f ${condition} -a ${word.text} -d ${quote(word.about)}`),
      ...(node.kind === null
        ? []
        : [`complete -c trueup -f ${condition} -a '(trueup completion-values ${node.kind} 2>/dev/null)'`]),
      ...node.options.map((word) => `complete -c trueup ${condition} -l ${word.text.slice(2)} -d ${quote(word.about)}`),
    ]
  })
  for (const [kind, options] of valued)
    for (const option of options)
      lines.push(`complete -c trueup -x -l ${option.slice(2)} -a '(trueup completion-values ${kind} 2>/dev/null)'`)
  return `# fish completion of trueup
set -g __trueup_paths ${nodes.map((node) => quote(node.path)).join(' ')}
function __trueup_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$path $word")
    contains -- $longer $__trueup_paths; and set path $longer
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}

const texts = (words: Word[]): string => words.map((word) => word.text).join(' ')
