import type { Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** One command and what may follow it, each with its description. */
interface Node {
  /** Words after `trueup`, joined by a space; empty for the root. */
  path: string
  commands: Word[]
  options: Word[]
}

interface Word {
  text: string
  about: string
}

/** A script without any call of trueup: completing costs no start of Node. */
export function renderCompletion(program: Command, shell: Shell): string {
  const nodes = [...nodesOf(program, '', optionsOf(program))]
  if (shell === 'bash') return bash(nodes)
  return shell === 'zsh' ? zsh(nodes) : fish(nodes)
}

function* nodesOf(command: Command, path: string, inherited: Word[]): Generator<Node> {
  const commands = command.commands.filter((child) => !isHidden(child))
  yield {
    path,
    commands: commands.map((child) => ({ text: child.name(), about: firstLine(child.description()) })),
    options: path === '' ? inherited : [...optionsOf(command), ...inherited],
  }
  for (const child of commands) yield* nodesOf(child, `${path} ${child.name()}`.trim(), inherited)
}

function optionsOf(command: Command): Word[] {
  return command.options
    .filter((option) => !option.hidden && option.long)
    .map((option) => ({ text: option.long!, about: firstLine(option.description) }))
}

const isHidden = (command: Command): boolean => (command as unknown as { _hidden?: boolean })._hidden === true
const firstLine = (text: string): string => text.split('\n')[0] ?? ''
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The longest known path of command words on the line; words after options or arguments do not lengthen it. */
function bash(nodes: Node[]): string {
  const cases = nodes.map(
    (node) =>
      `    ${quote(node.path)}) commands=${quote(texts(node.commands))}; options=${quote(texts(node.options))} ;;`,
  )
  return `# bash completion of trueup
_trueup_words() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_trueup() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= commands= options= i
  _trueup_words ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    _trueup_words "\${path:+$path }\${COMP_WORDS[i]}" && path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ \${COMP_WORDS[COMP_CWORD-1]} == --output || \${COMP_WORDS[COMP_CWORD-1]} == -o ]]; then
    COMPREPLY=($(compgen -W 'text json' -- "$current"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F _trueup trueup
`
}

function zsh(nodes: Node[]): string {
  const describe = (words: Word[]) => words.map((word) => quote(`${word.text}:${word.about}`)).join(' ')
  const cases = nodes.map(
    (node) => `    ${quote(node.path)}) commands=(${describe(node.commands)}); options=(${describe(node.options)}) ;;`,
  )
  return `#compdef trueup
_trueup_words() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_trueup() {
  local at= i
  local -a commands options
  _trueup_words ''
  for ((i = 2; i < CURRENT; i++)); do
    _trueup_words "\${at:+$at }\${words[i]}" && at="\${at:+$at }\${words[i]}"
  done
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe 'option' options
  elif (( \${#commands} )); then
    _describe 'command' commands
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_trueup" ]; then _trueup "$@"; else compdef _trueup trueup; fi
`
}

function fish(nodes: Node[]): string {
  const lines = nodes.flatMap((node) => {
    const condition = `-n ${quote(`__trueup_at ${quote(node.path)}`)}`
    return [
      ...node.commands.map((word) => `complete -c trueup -f ${condition} -a ${word.text} -d ${quote(word.about)}`),
      ...node.options.map((word) => `complete -c trueup ${condition} -l ${word.text.slice(2)} -d ${quote(word.about)}`),
    ]
  })
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
