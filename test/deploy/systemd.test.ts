import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commandTree, problemOf, trueupCalls } from '../docs/command-lines.ts'
import { describeWithTool } from '../tools.ts'

const FILES = join(import.meta.dirname, '../../deploy/systemd')

describeWithTool('systemd-analyze', 'the units of a server and a runner', ({ path }) => {
  const analyze = (...argv: string[]) => execFileSync(path, argv, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

  // Sandboxes are namespaces with mounts of their own, which a runner's unit must leave it.
  it.each([
    ['trueup.service', 2.5],
    ['trueup-runner.service', 3],
  ])('%s is one that systemd takes, and exposes little', (name, most) => {
    const unit = join(FILES, name)
    expect(analyze('verify', unit)).toBe('')
    const said = analyze('security', '--offline=true', unit)
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]), said).toBeLessThanOrEqual(most)
  })

  it.each(['trueup.service', 'trueup-runner.service'])('%s starts a command that there is', async (name) => {
    const text = readFileSync(join(FILES, name), 'utf8')
    const given = /TRUEUP_ARGS=(.*)/.exec(text)?.[1] ?? ''
    const line = /ExecStart=\/usr\/bin\/env (.*)/.exec(text)?.[1]?.replace('$TRUEUP_ARGS', given) ?? ''
    const [call] = trueupCalls(line)
    expect(problemOf(await commandTree(), call!, true), line).toBeNull()
  })
})
