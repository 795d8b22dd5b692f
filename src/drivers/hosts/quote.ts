/** A POSIX shell word that stands for exactly this text. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Words of a command line for a remote shell. */
export const commandLine = (words: readonly string[]): string => words.map(quoted).join(' ')
