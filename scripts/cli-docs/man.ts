import type { CommandPage, CommandPages } from './pages.ts'

/**
 * Manual pages by file name: one for each first word of a command with all that follows it, and `trueup.1`, which lists them.
 * In the macros of man(7), which groff and mandoc both have.
 */
export function manPages(all: CommandPages, version: string): Map<string, string> {
  const files = new Map([['trueup.1', mainPage(all, version)]])
  for (const [word, commands] of Map.groupBy(all.pages, ({ name }) => name.split(' ')[0]!))
    files.set(`trueup-${word}.1`, groupPage(word, all.groups.get(word)!, commands, version))
  return files
}

const title = (name: string, version: string): string => `.TH ${name.toUpperCase()} 1 "" "trueup ${version}" "Trueup"`

function groupPage(word: string, about: string, commands: readonly CommandPage[], version: string): string {
  return lines(
    title(`trueup-${word}`, version),
    '.SH NAME',
    `trueup\\-${word} \\- ${roff(about)}`,
    '.SH SYNOPSIS',
    ...commands.flatMap(({ usage }) => [`.B ${roff(usage)}`, '.br']),
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      `.SS ${roff(command.usage)}`,
      roff(command.about),
      ...terms(command.rows),
      ...literal(command.after),
    ]),
    '.SH SEE ALSO',
    '.BR trueup (1)',
  )
}

function mainPage({ pages, groups, everywhere }: CommandPages, version: string): string {
  return lines(
    title('trueup', version),
    '.SH NAME',
    'trueup \\- self\\-hosted GitOps for everything a team runs',
    '.SH SYNOPSIS',
    '.B trueup',
    '.I command',
    '[options]',
    '.SH OPTIONS OF EVERY COMMAND',
    ...terms(everywhere),
    '.SH COMMANDS',
    ...pages.flatMap(({ name, about }) => ['.TP', `.B ${roff(name)}`, roff(about)]),
    '.SH EXIT STATUS',
    '0 it worked; 1 it did not, or problems were found; 2 it worked and there are changes.',
    '.SH ENVIRONMENT',
    ...terms([
      { term: 'TRUEUP_URL', about: 'address of the server' },
      { term: 'TRUEUP_TOKEN', about: 'token to use instead of the stored login' },
      { term: 'TRUEUP_REPO', about: 'repository that commands are about' },
      { term: 'TRUEUP_DATA', about: 'data directory of a server on this machine' },
      { term: 'NO_COLOR', about: 'no colours' },
    ]),
    '.SH SEE ALSO',
    [...groups.keys()].map((word) => `.BR trueup\\-${word} (1)`).join(',\n'),
  )
}

const terms = (rows: CommandPage['rows']): string[] =>
  rows.flatMap(({ term, about }) =>
    about === '' ? ['.PP', `.B ${roff(term)}`] : ['.TP', `.B ${roff(term)}`, roff(about)],
  )

/** Lines as they stand. */
const literal = (text: string): string[] =>
  text === '' ? [] : ['.PP', '.nf', ...text.split('\n').map((line) => roff(line)), '.fi']

const lines = (...all: string[]): string => `${all.join('\n')}\n`

/** Text that roff prints as it is: no escapes, no request at the begin of a line, hyphens that can be copied. */
function roff(text: string): string {
  const plain = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(
      /[^\n -~]/gu,
      (character) => `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
  return /^[.']/.test(plain) ? `\\&${plain}` : plain
}
