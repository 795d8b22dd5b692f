import { open, readFile } from 'node:fs/promises'

/** Appended and on the disk: a file of another machine that is mounted here, or one that only grows (chattr +a). */
export async function appendToFile(path: string, lines: readonly string[]): Promise<void> {
  const handle = await open(path, 'a', 0o600)
  try {
    await handle.appendFile(lines.map((line) => `${line}\n`).join(''))
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const readWholeFile = (path: string): Promise<string> => readFile(path, 'utf8')
