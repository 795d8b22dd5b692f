import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves once the file is there; rejects after `timeoutMs`. */
export function fileAppears(path: string, timeoutMs = 180_000): Promise<void> {
  return comesTrue(() => existsSync(path), `${path} appears`, timeoutMs)
}

/** Resolves once the condition holds; rejects after `timeoutMs`, naming it. */
export async function comesTrue(
  condition: () => boolean | Promise<boolean>,
  name: string,
  timeoutMs = 180_000,
): Promise<void> {
  const until = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms in vain until ${name}`)
    await sleep(20)
  }
}
