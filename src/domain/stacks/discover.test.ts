import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { parseConfigWithLines } from '../config/parse.ts'
import { discoverStacks } from './discover.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const DIRECTORIES = [
  'infra/network',
  'infra/netwerk-old',
  'hosts/web',
  'apps/shop/overlays/staging',
  'apps/shop/overlays/production',
  'apps/blog/overlays/staging',
  'apps/.hidden/overlays/staging',
  'live/staging/db',
  'live/production/db',
  'infra-staging/dns',
  'infra-production/dns',
  '.github/workflows',
  'höhle/日本',
]

function discover(
  stacks: string,
  environments = '{ staging: { tier: staging }, production: { tier: production } }',
  directories = DIRECTORIES,
) {
  const { config, lineOf } = parseConfigWithLines(`version: 1\nenvironments: ${environments}\nstacks:\n${stacks}`)
  return discoverStacks(config, directories, lineOf)
}
const keys = (...args: Parameters<typeof discover>) =>
  discover(...args).stacks.map(({ key, path }) => `${key} @ ${path}`)

function errorOf(stacks: string, environments?: string): TrueupError {
  try {
    discover(stacks, environments)
  } catch (thrown) {
    if (thrown instanceof TrueupError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

describe('paths', () => {
  it('a literal path is a stack in each named environment', () => {
    expect(keys('  - { path: infra/network, driver: files, environments: [production, staging] }')).toEqual([
      'production/infra/network @ infra/network',
      'staging/infra/network @ infra/network',
    ])
  })

  it('the only environment need not be named; otherwise it must be', () => {
    expect(keys('  - { path: ./hosts//web/, driver: files }', '{ live: {} }')).toEqual(['live/hosts/web @ hosts/web'])
    expect(errorOf('  - { path: infra/network, driver: files }').text.why).toBe(
      'line 4: stacks[0].environments: is missing; name those of staging, production that have this stack',
    )
  })

  it('{environment} binds to the environments that have the directory', () => {
    expect(keys('  - { path: "apps/*/overlays/{environment}", driver: files }')).toEqual([
      'staging/apps/blog/overlays @ apps/blog/overlays/staging',
      'staging/apps/shop/overlays @ apps/shop/overlays/staging',
      'production/apps/shop/overlays @ apps/shop/overlays/production',
    ])
    expect(
      keys('  - { path: "apps/*/overlays/{environment}", driver: files, environments: [production] }'),
    ).toHaveLength(1)
  })

  it.each([
    ['live/{environment}/db', 'live/db'],
    ['infra-{environment}/dns', 'infra/dns'],
    ['{environment}', 'root'],
    ['{environment}-infra', 'infra'],
  ])('the name of %s is the same in both environments: %s', (path, name) => {
    const directories = ['staging', 'production'].map((one) => path.replace('{environment}', one))
    const { stacks } = discover(`  - { path: "${path}", driver: files }`, undefined, directories)
    expect(stacks.map((stack) => stack.key)).toEqual([`staging/${name}`, `production/${name}`])
  })

  it('wildcards: braces, double stars, no hidden directories', () => {
    const paths = (path: string) =>
      discover(`  - { path: "${path}", driver: files, environments: [staging] }`).stacks.map((stack) => stack.path)
    expect(paths('{hosts,infra}/*')).toEqual(['hosts/web', 'infra/netwerk-old', 'infra/network'])
    expect(paths('apps/**/staging')).toEqual(['apps/blog/overlays/staging', 'apps/shop/overlays/staging'])
    expect(paths('apps/shop/**')).toEqual([
      'apps/shop',
      'apps/shop/overlays',
      'apps/shop/overlays/production',
      'apps/shop/overlays/staging',
    ])
    expect(paths('apps/*/**/**/staging')).toEqual(['apps/blog/overlays/staging', 'apps/shop/overlays/staging'])
    expect(paths('infra/netw?rk')).toEqual(['infra/network'])
    expect(paths('.')).toEqual(['.'])
  })

  it('a hidden or unicode directory can be named', () => {
    expect(keys('  - { path: .github/workflows, name: ci, driver: files, environments: [staging] }')).toEqual([
      'staging/ci @ .github/workflows',
    ])
    expect(keys('  - { path: höhle/日本, name: cave, driver: files, environments: [staging] }')).toEqual([
      'staging/cave @ höhle/日本',
    ])
    expect(errorOf('  - { path: höhle/日本, driver: files, environments: [staging] }').text.why).toContain(
      'cannot be a stack',
    )
  })

  it('the root is named root', () => {
    expect(keys('  - { path: ., driver: files, environments: [staging] }')).toEqual(['staging/root @ .'])
  })

  it('names take what the pattern matched', () => {
    expect(
      keys('  - { path: "apps/*/overlays/{environment}", name: "{1}", driver: files, environments: [staging] }').map(
        (key) => key.split(' ')[0],
      ),
    ).toEqual(['staging/blog', 'staging/shop'])
    expect(
      keys('  - { path: "infra/{network,x}", name: "old-{dir}/{path}", driver: files, environments: [staging] }'),
    ).toEqual(['staging/old-network/infra/network @ infra/network'])
  })

  it('a glob that matches nothing is a warning, with its line', () => {
    expect(discover('  - { path: "nothing/*", driver: files, environments: [staging] }')).toEqual({
      stacks: [],
      findings: [
        {
          severity: 'warning',
          code: 'NO_MATCH',
          message: 'the path "nothing/*" matches no directory',
          path: 'trueup.yaml',
          line: 4,
        },
      ],
    })
  })

  it.each(['../x', 'a/../../b', '/etc', 'a\\b', '.git/hooks', 'a/.GIT', 'C:/x', '{..,a}/b', 'a/{..,b}'])(
    '%s leads outside',
    (path) => {
      const error = errorOf(`  - { path: '${path}', driver: files, environments: [staging] }`)
      expect(error.code).toBe('PATH_OUTSIDE')
      expect(error.text.why).toMatch(/^line 4: stacks\[0\]\.path: /)
    },
  )

  it('directories that lead outside are never matched', () => {
    expect(
      keys('  - { path: "**", driver: files, environments: [staging] }', undefined, [
        '../up',
        '.git/refs',
        'a/../b',
        '/abs',
      ]),
    ).toEqual(['staging/root @ .', 'staging/abs @ abs'])
  })
})

describe('a message names both sides', () => {
  it.each([
    [
      '{ path: infra/netwrk, driver: files, environments: [staging] }',
      'line 4: stacks[0].path: there is no directory "infra/netwrk" (did you mean "infra/network"?)',
    ],
    [
      '{ path: "live/{environment}/dbs", driver: files }',
      'line 4: stacks[0].path: there is no directory "live/staging/dbs" (did you mean "live/staging/db"?)',
    ],
    [
      '{ path: "apps/blog/overlays/{environment}", driver: files, environments: [staging, production] }',
      'line 4: stacks[0].path: there is no directory "apps/blog/overlays/production"',
    ],
    [
      '{ path: "apps/{enviroment}", driver: files }',
      'line 4: stacks[0].path: {enviroment} is not a placeholder (did you mean "environment"?)',
    ],
    [
      '{ path: "apps/{a/b,c}", driver: files }',
      'line 4: stacks[0].path: a slash stands inside of braces; write one entry for each',
    ],
    [
      '{ path: "apps/*", name: app, driver: files, environments: [staging] }',
      'line 4: stacks[0].name: the path can match several directories, so the name needs {path}, {dir} or {1}…{9}',
    ],
    [
      '{ path: "apps/*", name: "{2}", driver: files, environments: [staging] }',
      'line 4: stacks[0].name: {2} stands for nothing: the path has 1 segments with a wildcard',
    ],
    [
      '{ path: hosts/web, driver: files, environments: [staging], needs: [hosts/web] }',
      'line 4: stacks[0].needs[0]: "staging/hosts/web" would need itself',
    ],
    [
      '{ path: hosts/web, driver: files, environments: [staging], needs: [hosts/wbe] }',
      'line 4: stacks[0].needs[0]: "staging/hosts/web" needs "hosts/wbe", which staging does not have (did you mean "hosts/web"?)',
    ],
  ])('%s', (entry, why) => expect(errorOf(`  - ${entry}`).text.why).toBe(why))

  it('for two stacks of one identity', () => {
    expect(
      errorOf(
        '  - { path: hosts/web, driver: files, environments: [staging] }\n  - { path: infra/network, name: hosts/web, driver: files, environments: [staging] }',
      ).text.why,
    ).toBe(
      'line 5: stacks[1]: infra/network is "staging/hosts/web", and so is hosts/web of stacks[0]: give one of them a `name`',
    )
  })

  it('for one directory managed twice, unless both are named', () => {
    const two = (first: string) =>
      `  - { path: hosts/web, ${first} driver: files, environments: [staging] }\n  - { path: hosts/*, name: "b-{dir}", driver: files, environments: [staging] }`
    expect(errorOf(two('')).text.why).toContain('would both manage hosts/web with files')
    expect(keys(two('name: a,'))).toEqual(['staging/a @ hosts/web', 'staging/b-web @ hosts/web'])
  })

  it('for what is in another environment only', () => {
    const why = errorOf(
      '  - { path: infra/network, driver: files, environments: [staging] }\n  - { path: hosts/web, driver: files, environments: [staging, production], needs: [infra/network] }',
    ).text.why
    expect(why).toBe(
      'line 5: stacks[1].needs[0]: "production/hosts/web" needs "infra/network", which production does not have (it is in staging)',
    )
  })

  it('for cycles, also through inputs', () => {
    const error = errorOf(
      '  - { path: infra/network, name: a, driver: files, environments: [staging], needs: [b] }\n  - { path: hosts/web, name: b, driver: files, environments: [staging], inputs: { x: a.y } }',
    )
    expect(error.code).toBe('CONFIG_CYCLE')
    expect(error.text.why).toBe('line 4: stacks[0]: the stacks need each other: staging/a → staging/b → staging/a')
  })
})

describe('a definition', () => {
  it('has every default filled in and is plain JSON', () => {
    const [stack] = discover('  - { path: hosts/web, driver: files, environments: [production] }').stacks
    expect(stack).toEqual({
      key: 'production/hosts/web',
      environment: 'production',
      name: 'hosts/web',
      path: 'hosts/web',
      driver: 'files',
      driverConfig: {},
      needs: [],
      inputs: {},
      watch: [],
      ignore: [],
      unstable: [],
      checks: [],
      verify: [],
      onRemove: 'keep',
      drift: { mode: 'observe', intervalMs: 600_000, maxDestroys: 0 },
      timeoutMs: 3_600_000,
      variables: {},
      pool: 'default',
    })
    expect(JSON.parse(JSON.stringify(stack))).toEqual(stack)
  })

  it('takes what the entry says, over what its environment says', () => {
    const { stacks } = discover(
      '  - { path: infra/network, name: net.v2, driver: terraform }\n' +
        '  - { path: hosts/web, driver: files, needs: [root], inputs: { vpc: net.v2.vpc_id, sub: net.v2.subnet }, timeout: 5m, drift: { interval: 1m }, checks: ["make lint\\nmake more", { run: x, name: y, timeout: 30s }], toolVersion: ">=1", with: { a: [1] }, variables: { B: "2" }, onRemove: destroy }\n' +
        '  - { path: ., driver: files, drift: { mode: observe, maxDestroys: 9 } }',
      '{ live: { workers: edge, drift: { mode: enforce, interval: 2h, maxDestroys: 1 } } }',
    )
    expect(stacks[1]).toMatchObject({
      needs: ['live/root', 'live/net.v2'],
      inputs: { vpc: { stack: 'live/net.v2', output: 'vpc_id' }, sub: { stack: 'live/net.v2', output: 'subnet' } },
      timeoutMs: 300_000,
      drift: { mode: 'enforce', intervalMs: 60_000, maxDestroys: 1 },
      checks: [
        { run: 'make lint\nmake more', name: 'make lint', timeoutMs: 600_000 },
        { run: 'x', name: 'y', timeoutMs: 30_000 },
      ],
      toolVersion: '>=1',
      driverConfig: { a: [1] },
      variables: { B: '2' },
      onRemove: 'destroy',
      pool: 'edge',
    })
    expect(stacks[2]?.drift).toEqual({ mode: 'observe', intervalMs: 7_200_000, maxDestroys: 9 })
  })
})

describe('size', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `apps/team${i % 100}/app${i}`)

  it('10,000 stacks by one glob or by 10,000 entries, within two seconds each', () => {
    let elapsed = stopwatch()
    expect(discover('  - { path: apps/*/*, driver: files }', '{ live: {} }', many).stacks).toHaveLength(10_000)
    expect(elapsed()).toBeLessThan(2000)
    const entries = many
      .map((path, i) => `  - { path: ${path}, driver: files${i > 0 ? `, needs: [${many[i - 1]}]` : ''} }`)
      .join('\n')
    const { config } = parseConfigWithLines(`version: 1\nenvironments: { live: {} }\nstacks:\n${entries}`)
    elapsed = stopwatch()
    expect(discoverStacks(config, many).stacks).toHaveLength(10_000)
    expect(elapsed()).toBeLessThan(2000)
  })

  it.each([
    ['too many stacks', '  - { path: "**", driver: files, environments: [a, b, c], name: "x/{path}" }'],
    [
      'too many directories',
      Array.from({ length: 4000 }, () => '  - { path: "**/x/**", driver: files, environments: [a] }').join('\n'),
    ],
    ['too many needs', `  - { path: apps/*/*, driver: files, environments: [a], needs: [${'n, '.repeat(999)}] }`],
  ])('%s is a limit', (_what, stacks) => {
    const elapsed = stopwatch()
    expect(() => discover(stacks, '{ a: {}, b: {}, c: {} }', many)).toThrow(
      expect.objectContaining({ code: 'CONFIG_LIMIT' }),
    )
    expect(elapsed()).toBeLessThan(8000)
  })

  it('a long cycle is told by its ends', () => {
    const { config } = parseConfigWithLines(
      `version: 1\nenvironments: { live: {} }\nstacks:\n${many
        .slice(0, 500)
        .map((path, i) => `  - { path: ${path}, name: s${i}, driver: files, needs: [s${(i + 1) % 500}] }`)
        .join('\n')}`,
    )
    expect(() => discoverStacks(config, many)).toThrow(/s9 → … → /)
  })
})

it('does not depend on the order of directories, nor on parents and repetitions among them', () => {
  const paths = fc.uniqueArray(
    fc
      .array(fc.constantFrom('a', 'b', 'c', 'staging', 'production'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/')),
    { maxLength: 12 },
  )
  const config = '  - { path: "**/{environment}", driver: files }'
  fc.assert(
    fc.property(
      paths.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        const outcome = (directories: string[]) => {
          try {
            return keys(config, undefined, directories)
          } catch (thrown) {
            return (thrown as TrueupError).message
          }
        }
        const parents = list.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/')))
        expect(outcome([...shuffled, ...parents])).toEqual(outcome(list))
      },
    ),
  )
})
