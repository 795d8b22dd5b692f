import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { parseConfig, parseConfigWithLines } from './parse.ts'

const HEAD = 'version: 1\nenvironments: { staging: {}, production: { tier: production } }\n'
const config = (rest = 'stacks: []\n') => HEAD + rest
const stack = (keys: string) => config(`stacks:\n  - path: infra\n    driver: terraform\n    ${keys}\n`)

function errorOf(source: string | Buffer): TrueupError {
  try {
    parseConfig(source)
  } catch (thrown) {
    if (thrown instanceof TrueupError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}
const problemsOf = (source: string) =>
  errorOf(source).text.details?.['problems'] as { line?: number; message: string }[]

const DESIGN = `version: 1
environments:
  staging:    { tier: staging, drift: { mode: enforce } }
  production:
    tier: production
    approvals: { required: 2, from: [team:platform], codeOwners: true }
    windows:   [{ deny: "fri 16:00 - mon 08:00", timezone: Europe/Amsterdam }]
    drift:     { mode: enforce, interval: 10m, maxDestroys: 0 }
    onFailure: rollback
    workers:   prod-agents            # a worker pool; the built-in runner where none is named
stacks:
  - path: infra/network               # name defaults to the path
    driver: terraform
    environments: [staging, production]
    checks: ["tflint"]
    verify: [{ run: ./smoke-test.sh, name: smoke, timeout: 5m }]
  - path: hosts/web
    driver: ansible
    environments: [production]
    needs: [infra/network]
    inputs: { vpc_id: infra/network.vpc_id }
  - path: apps/*/overlays/{environment}
    driver: kubernetes
    ignore: [{ address: "Deployment/*", attribute: spec.replicas }]
policies:
  - name: no-deletes-in-production
    when: environment.tier == 'production' && plan.summary.delete > 0
    then: require-approval
    message: Deleting needs a second pair of eyes.
`

describe('parseConfig', () => {
  it('reads a whole file, from text and from bytes', () => {
    const parsed = parseConfig(DESIGN)
    expect(parsed.stacks[1]).toMatchObject({ path: 'hosts/web', inputs: { vpc_id: 'infra/network.vpc_id' } })
    expect(parseConfig(Buffer.from(DESIGN))).toEqual(parsed)
  })

  it('reads CRLF, a BOM, an end mark and comments alike', () => {
    const plain = parseConfig(DESIGN)
    expect(parseConfig(DESIGN.replaceAll('\n', '\r\n'))).toEqual(plain)
    expect(parseConfig(`\uFEFF${DESIGN}`)).toEqual(plain)
    expect(parseConfig(Buffer.from(`\uFEFF---\n${DESIGN}...\n`))).toEqual(plain)
  })

  it('replaces aliases and merge keys', () => {
    const parsed = parseConfig(
      'version: 1\nenvironments:\n  eu: &eu { tier: production, workers: eu }\n  us: { <<: *eu, workers: us }\nstacks: []\n',
    )
    expect(parsed.environments).toEqual({
      eu: { tier: 'production', workers: 'eu' },
      us: { tier: 'production', workers: 'us' },
    })
  })

  it('keeps unicode in paths, and times and dates as text', () => {
    const parsed = parseConfig(
      config('stacks: [{ path: "höhle/日本", driver: files, with: { at: 12:30, on: 2026-01-02, yes: no } }]'),
    )
    expect(parsed.stacks[0]).toMatchObject({ path: 'höhle/日本', with: { at: '12:30', on: '2026-01-02', yes: 'no' } })
  })

  it('knows the line of every key', () => {
    const { lineOf } = parseConfigWithLines(DESIGN)
    expect(lineOf(['environments', 'production', 'windows', 0, 'deny'])).toBe(7)
    expect(lineOf(['stacks', 2, 'path'])).toBe(22)
    expect(lineOf(['stacks', 2, 'nothing', 'there'])).toBe(22)
    expect(lineOf([])).toBe(1)
  })
})

describe('a message names line, key and remedy', () => {
  it.each([
    [
      config().replace('environments', 'enviroments'),
      'line 2: unknown key "enviroments" (did you mean "environments"?)',
    ],
    [
      config('stacks: []\nfoo: 1\n'),
      'line 4: unknown key "foo"; known are version, environments, stacks, policies, executable, signers',
    ],
    [stack('chekcs: [x]'), 'line 6: stacks[0]: unknown key "chekcs" (did you mean "checks"?)'],
    [
      stack('verify: [{ run: x, timeuot: 5m }]'),
      'line 6: stacks[0].verify[0]: unknown key "timeuot" (did you mean "timeout"?)',
    ],
    [stack('driver: files'), 'line 6: stacks[0]: the key "driver" stands twice'],
    [stack('toolVersion: 1.6'), 'line 6: stacks[0].toolVersion: must be text, not the number 1.6 (put it in quotes)'],
    [stack('toolVersion: banana'), 'line 6: stacks[0].toolVersion: "banana" is not a version range such as ">=1.6 <2"'],
    [stack('timeout: 10'), 'line 6: stacks[0].timeout: must be text, not the number 10 (put it in quotes)'],
    [
      stack('timeout: 10 minutes'),
      'line 6: stacks[0].timeout: "10 minutes" does not fit: a number with a unit: 90s, 10m, 2h, 1d',
    ],
    [stack('timeout: 999d'), 'line 6: stacks[0].timeout: reading the duration "999d": longer than 366 days'],
    [stack('timeout: 366d'), 'line 6: stacks[0].timeout: "366d" is too long: the most is 7d'],
    [
      stack('verify: [{ run: x, timeout: 8d }]'),
      'line 6: stacks[0].verify[0].timeout: "8d" is too long: the most is 7d',
    ],
    [stack('drift: { interval: 10ms }'), 'line 6: stacks[0].drift.interval: "10ms" is too short: the least is 1s'],
    [
      stack('variables: { PORT: 010 }'),
      'line 6: stacks[0].variables.PORT: the number 010 would be read as 10: put it in quotes if it is text',
    ],
    [
      stack('with: { account: 012345678901 }'),
      'line 6: stacks[0].with.account: the number 012345678901 would be read as 12345678901: put it in quotes if it is text',
    ],
    [
      stack('with: { id: 12345678901234567890 }'),
      'line 6: stacks[0].with.id: the number 12345678901234567890 would be read as 12345678901234567000: put it in quotes if it is text',
    ],
    [stack('with: { x: .inf }'), 'line 6: stacks[0].with.x: the number Infinity is not a value that can stand here'],
    [stack('with: { __proto__: { x: 1 } }'), 'line 6: stacks[0].with: the key "__proto__" is not allowed'],
    [
      stack('environments: [prodution]'),
      'line 6: stacks[0].environments[0]: there is no environment "prodution" (did you mean "production"?)',
    ],
    [stack('environments: [constructor]'), 'line 6: stacks[0].environments[0]: there is no environment "constructor"'],
    [stack('environments: [staging, staging]'), 'line 6: stacks[0].environments[1]: "staging" stands twice'],
    [stack('environments: []'), 'line 6: stacks[0].environments: must not be empty'],
    [stack('inputs: { vpc: network }'), 'line 6: stacks[0].inputs.vpc: "network" does not fit: STACK.OUTPUT'],
    [stack('onRemove: delete'), 'line 6: stacks[0].onRemove: must be keep or destroy, not "delete"'],
    [stack('checks: [[x]]'), 'line 6: stacks[0].checks[0]: a list is not a value that can stand here'],
    [stack('ignore: [{ address: "{a", attribute: x }]'), 'line 6: stacks[0].ignore[0].address: a `{` is not closed'],
    [
      stack('watch: [../secret]'),
      'line 6: stacks[0].watch[0]: "../secret" must be a path from the root of the repository, without ".."',
    ],
    [
      stack('name: ünïcode'),
      'line 6: stacks[0].name: "ünïcode" does not fit: letters, digits, dot, dash, underscore, slash, and the placeholders {path}, {dir}, {1}…{9}',
    ],
    [stack('needs: x'), 'line 6: stacks[0].needs: must be a list, not "x"'],
    [stack('needs:'), 'line 6: stacks[0].needs: has no value; it must be a list'],
    [config('stacks: [{ path: a }]'), 'line 3: stacks[0].driver: is missing; it must be text'],
    ['environments: {}\nstacks: []\n', 'line 1: version: is missing; it must be 1'],
    ['version: "1"\nenvironments: {}\nstacks: []\n', 'line 1: version: must be 1, not "1"'],
    [
      'version: 2\nfuture: {}\n',
      'line 1: version: the file is of version 2, which only a newer Trueup reads; this one reads version 1',
    ],
    [
      'version: 1\nenvironments: {}\nstacks: [{ path: a, driver: b }]\n',
      'line 2: environments: there is none, but there are stacks',
    ],
    [
      'version: 1\nenvironments: { "pröd": {} }\nstacks: []\n',
      'line 2: environments["pröd"]: the name "pröd" does not fit: letters, digits, dot, dash and underscore, at most 63',
    ],
    ['- a\n- b\n', 'line 1: must be a mapping with the keys version, environments and stacks'],
    ['', 'the file is empty'],
    [' \n\n', 'the file is empty'],
    ['# only a comment\n', 'the file is empty'],
    ['just words\n', 'line 1: must be a mapping with the keys version, environments and stacks'],
  ])('%#', (source, why) => {
    const error = errorOf(source)
    expect(error.text.why.replace(/ — and .*/, '')).toBe(why)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.text.doing).toBe('reading trueup.yaml')
  })

  it.each([
    ['windows: [{ timezone: UTC }]', 'windows[0]: must have either `allow` or `deny`'],
    ['windows: [{ allow: sat, deny: sun }]', 'windows[0]: must have either `allow` or `deny`'],
    ['windows: [{ deny: sometimes }]', 'windows[0].deny: reading the window "sometimes"'],
    ['windows: [{ deny: sat, timezone: Mars/Base }]', 'windows[0].timezone: looking up the time zone "Mars/Base"'],
    ['approvals: { required: 2, from: [user:ann] }', 'approvals.required: 2 are required, but only 1 may approve'],
    [
      'approvals: { from: [ann] }',
      'approvals.from[0]: "ann" does not fit: team:NAME, user:NAME, gitlab:GROUP/SUBGROUP, github:ORG/TEAM or gitea:ORG/TEAM',
    ],
    ['approvals: { required: -1 }', 'approvals.required: must be at least 0'],
    ['approvals: { required: 99 }', 'approvals.required: is more than 20'],
    ['tier: prod', 'tier: must be development, staging or production, not "prod"'],
  ])('of an environment with %s', (keys, why) => {
    const error = errorOf(`version: 1\nenvironments:\n  live:\n    ${keys}\nstacks: []\n`)
    expect(error.text.why).toContain(`line 4: environments.live.${why}`)
  })

  it('all problems come at once, sorted by line', () => {
    const source = `version: 1\nenvironments:\n  a: { teir: x }\n  b: { windws: [] }\nstacks:\n  - { path: x }\n  - { path: 1, driver: y, z: 1 }\n`
    expect(problemsOf(source).map(({ line }) => line)).toEqual([3, 4, 6, 7, 7])
    expect(errorOf(source).text.why).toBe(
      'line 3: environments.a: unknown key "teir" (did you mean "tier"?) — and 4 more',
    )
  })

  it('lists a hundred problems and counts the rest', () => {
    const error = errorOf(config(`stacks:\n${'  - { path: a }\n'.repeat(150)}`))
    expect(error.text.details).toMatchObject({ count: 150 })
    expect(error.text.details?.['problems']).toHaveLength(100)
  })

  it('policies have names of their own', () => {
    const policy = '{ name: x, when: "true", then: deny }'
    expect(errorOf(config(`stacks: []\npolicies: [${policy}, ${policy}]\n`)).text.why).toBe(
      'line 4: policies[1].name: "x" is already the name of policies[0]',
    )
  })
})
