import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { RUN_KINDS, RUN_STATES } from '../../src/domain/runs/run.ts'
import { ask } from '../../src/server/testing/app.ts'
import { useServer } from '../../src/server/testing/use-server.ts'
import { StackState } from '../../src/server/schemas/stacks.ts'
import { createFigures } from '../../src/worker/metrics.ts'
import { commandTree, problemOf, trueupCalls } from '../docs/command-lines.ts'
import { describeWithTool } from '../tools.ts'

const FILES = join(import.meta.dirname, '../../deploy/monitoring')
const { server } = useServer()

/** As a server and a worker say them. */
async function metrics(): Promise<string> {
  const figures = createFigures()
  figures.runEnded('deploy', 'succeeded', 2)
  const its = figures.text({
    kind: 'runner',
    slots: 2,
    runs: 1,
    applying: 0,
    awayMs: 0,
    hasRoom: true,
    watches: 0,
    undelivered: 0,
    clockSkewMs: 0,
  })
  return `${(await ask(server.url, null, 'GET', '/metrics')).body as string}\n${its}`
}

interface Rule {
  alert: string
  expr: string
  annotations: { summary: string; description: string }
}
const rules = (): Rule[] =>
  (parse(readFileSync(join(FILES, 'alerts.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  )
const shown = (): string[] =>
  (
    JSON.parse(readFileSync(join(FILES, 'dashboard.json'), 'utf8')) as { panels: { targets: { expr: string }[] }[] }
  ).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

it('alerts and dashboard ask for metrics and states that there are', async () => {
  const said = await metrics()
  const known = new Set(
    [...said.matchAll(/^# TYPE (\S+) (\w+)/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  )
  const states = new Set<string>([...StackState.options, ...RUN_STATES, ...RUN_KINDS])
  const asked = [...rules().map(({ expr }) => expr), ...shown()]
  expect(asked.length).toBeGreaterThan(30)
  for (const expr of asked) {
    const names = expr.match(/\btrueup_\w+/g) ?? []
    expect(
      names.filter((name) => !known.has(name)),
      expr,
    ).toEqual([])
    for (const [, words = ''] of expr.matchAll(/state=~?"([^"]*)"/g))
      for (const word of words.split('|')) expect(states, expr).toContain(word)
  }
})

it('what alerts advise are commands that there are', async () => {
  const program = await commandTree()
  const advice = rules().flatMap(({ annotations }) => [...annotations.description.matchAll(/`(trueup [^`]*)`/g)])
  expect(advice.length).toBeGreaterThan(5)
  for (const [, line = ''] of advice)
    for (const call of trueupCalls(line)) expect(problemOf(program, call, false), line).toBeNull()
})

describeWithTool('promtool', 'what Prometheus says of them', ({ path }) => {
  const promtool = (argv: string[], input?: string) => execFileSync(path, argv, { cwd: FILES, encoding: 'utf8', input })

  it('takes the rules, which speak when they should', () => {
    expect(promtool(['check', 'rules', 'alerts.yaml'])).toContain('SUCCESS')
    expect(promtool(['test', 'rules', 'alerts.test.yaml'])).toContain('SUCCESS')
  })

  it('takes every query of the dashboard', () => {
    const directory = mkdtempSync(join(tmpdir(), 'trueup-rules-'))
    try {
      const group = { name: 'dashboard', rules: shown().map((expr, at) => ({ record: `panel_${at}`, expr })) }
      writeFileSync(join(directory, 'rules.json'), JSON.stringify({ groups: [group] }))
      expect(promtool(['check', 'rules', join(directory, 'rules.json')])).toContain('SUCCESS')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('reads the metrics themselves', async () => {
    // Those of the runtime have names of its own, which promtool would have otherwise.
    const said = (await metrics()).replaceAll(/^.*\btrueup_(?:nodejs|process)_.*\n/gm, '')
    expect(promtool(['check', 'metrics'], said)).toBe('')
    expect(() => promtool(['check', 'metrics'], `${said}trueup_broken{ 1\n`)).toThrow('Command failed')
  })
})
