import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The places of the ledger's tool and of the runner, and the files by which a run is held there. */
export interface Ledger {
  hold(stack: string, place: string): void
  release(stack: string, place: string): void
  releaseAll(): Promise<void>
  /** Pid of the process that waits at the place; null while none does. */
  waiting(stack: string, place: string): number | null
  /** What the plan says besides the wanted content: another plan than the approved one. */
  salt(stack: string, text: string): void
  /** How often each content was applied: `content` → times. */
  effects(stack: string): Map<string, number>
  committed(stack: string): string
  /** What a person does after a look at a half-applied stack: the effect is there, so the marker is set by hand. */
  mend(stack: string, content: string): void
}

export function openLedger(world: string, stacks: readonly string[]): Ledger {
  for (const stack of stacks) mkdirSync(join(world, stack), { recursive: true })
  const path = (stack: string, name: string): string => join(world, stack, name)
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  return {
    hold(stack, place) {
      rmSync(path(stack, `at-${place}`), { force: true })
      writeFileSync(path(stack, `hold-${place}`), '')
    },
    release: (stack, place) => rmSync(path(stack, `hold-${place}`), { force: true }),
    async releaseAll() {
      for (const stack of await readdir(world))
        for (const name of await readdir(join(world, stack)))
          if (name.startsWith('hold-')) rmSync(join(world, stack, name), { force: true })
    },
    waiting(stack, place) {
      const text = read(path(stack, `at-${place}`)).trim()
      return text === '' ? null : Number(text)
    },
    salt: (stack, text) => writeFileSync(path(stack, 'salt'), text),
    effects(stack) {
      const counted = new Map<string, number>()
      for (const line of read(path(stack, 'ledger')).split('\n').filter(Boolean)) {
        const content = line.split(' ')[0] ?? ''
        counted.set(content, (counted.get(content) ?? 0) + 1)
      }
      return counted
    },
    committed: (stack) => read(path(stack, 'committed')).trim(),
    mend: (stack, content) => writeFileSync(path(stack, 'committed'), `${content}\n`),
  }
}
