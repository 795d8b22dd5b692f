import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Base64 of a text is known from the second character of a group on, whatever stands before it. */
function needles(core: string): string[] {
  const bytes = Buffer.from(core)
  const encoded = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return whole.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1)
  })
  const hex = bytes.toString('hex')
  return [core, ...encoded, hex, hex.toUpperCase()]
}

export const UNTAGGED = 'untagged'

/** `driver:place:form` of every text in which the core of a secret can be read, however it is broken into lines. */
export function tagsThatTell(text: string, core: string): Set<string> {
  const plain = text.replaceAll(/\\+[nr]|\s/g, '')
  const found = new Set<string>()
  for (const needle of needles(core)) {
    for (let at = plain.indexOf(needle); at >= 0; at = plain.indexOf(needle, at + 1)) {
      const tag = [...plain.slice(Math.max(0, at - 600), at).matchAll(/\[(\w+:\w+:\w+)\]/g)].at(-1)?.[1]
      found.add(tag ?? `${UNTAGGED}: ${plain.slice(Math.max(0, at - 60), at + 20)}`)
    }
  }
  return found
}

/** Every file below a directory whose path fits, as text of single bytes. What vanishes meanwhile is left out. */
export function filesBelow(directory: string, fits: (path: string) => boolean): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const texts = files
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter(fits)
    .map((path) => {
      try {
        return readFileSync(join(directory, path), 'latin1')
      } catch {
        return ''
      }
    })
  return texts.join('\n')
}

/** Every object of a bare repository, unpacked. */
export function gitObjects(repository: string): string {
  const argv = ['-C', repository, 'cat-file', '--batch-all-objects', '--batch']
  return execFileSync('git', argv, { maxBuffer: 256 * 1024 * 1024, encoding: 'latin1' })
}

/** Looks at the command line of every process until it is stopped; gives those that hold the text. */
export function watchProcesses(text: string): () => string[] {
  const seen = new Set<string>()
  const look = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        if (line.includes(text)) seen.add(line)
      } catch {
        // It has ended.
      }
    }
  }
  const timer = setInterval(look, 200)
  return () => {
    clearInterval(timer)
    return [...seen]
  }
}
