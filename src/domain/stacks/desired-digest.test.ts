import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DesiredParts, desiredDigest } from './desired-digest.ts'

const parts: DesiredParts = {
  subtree: 'a'.repeat(40),
  dependencies: [
    { path: 'modules/net', oid: '1' },
    { path: 'modules/db', oid: '2' },
  ],
  watched: [{ path: 'shared/values.yaml', oid: '3' }],
  driver: 'terraform',
  driverConfig: { workspace: 'prod', varFiles: ['a.tfvars', 'b.tfvars'] },
  toolVersion: '>=1.6',
  inputs: { vpc: 'vpc-1', token: 'hmac:00' },
  variables: { TOKEN: 3 },
  ignore: [{ address: 'Deployment/*', attribute: 'spec.replicas' }],
  unstable: [],
}

describe('desiredDigest', () => {
  it('does not depend on order or repetition of sets and keys', () => {
    const other: DesiredParts = {
      ...parts,
      dependencies: [...parts.dependencies, ...parts.dependencies].reverse(),
      driverConfig: { varFiles: ['a.tfvars', 'b.tfvars'], workspace: 'prod' },
      inputs: { token: 'hmac:00', vpc: 'vpc-1' },
    }
    expect(desiredDigest(other)).toBe(desiredDigest(parts))
  })

  const changes: [string, Partial<DesiredParts>][] = [
    ['files', { subtree: 'b'.repeat(40) }],
    ['no directory', { subtree: null }],
    ['a dependency', { dependencies: [{ path: 'modules/net', oid: '9' }, parts.dependencies[1]!] }],
    ['a dependency gone', { dependencies: [{ path: 'modules/net', oid: null }, parts.dependencies[1]!] }],
    [
      'a dependency that becomes a watched file',
      { dependencies: [], watched: [...parts.watched, ...parts.dependencies] },
    ],
    ['watched files', { watched: [] }],
    ['driver', { driver: 'command' }],
    ['driver settings', { driverConfig: { ...parts.driverConfig, workspace: 'dev' } }],
    ['order inside driver settings', { driverConfig: { workspace: 'prod', varFiles: ['b.tfvars', 'a.tfvars'] } }],
    ['tool version', { toolVersion: undefined }],
    ['an input', { inputs: { ...parts.inputs, vpc: 'vpc-2' } }],
    ['the type of an input', { inputs: { ...parts.inputs, vpc: 1 } }],
    ['a variable', { variables: { TOKEN: 4 } }],
    ['ignore', { ignore: [] }],
    ['ignore moved to unstable', { ignore: [], unstable: parts.ignore }],
  ]
  it.each(changes)('changes with %s', (_what, change) => {
    expect(desiredDigest({ ...parts, ...change })).not.toBe(desiredDigest(parts))
  })

  it('tells separators inside names from separators between them', () => {
    const a = desiredDigest({ ...parts, watched: [{ path: 'a","b', oid: 'c' }] })
    const b = desiredDigest({ ...parts, watched: [{ path: 'a', oid: 'b","c' }] })
    expect(a).not.toBe(b)
  })

  it('keeps names such as __proto__ apart', () => {
    const inputs = (name: string) => Object.fromEntries([[name, 'x']])
    expect(desiredDigest({ ...parts, inputs: inputs('__proto__') })).not.toBe(desiredDigest({ ...parts, inputs: {} }))
  })

  it('is a function of the set, for any shuffle', () => {
    const objects = fc.uniqueArray(fc.record({ path: fc.string(), oid: fc.option(fc.string()) }), { maxLength: 8 })
    fc.assert(
      fc.property(
        objects.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(desiredDigest({ ...parts, watched: list })).toBe(desiredDigest({ ...parts, watched: shuffled }))
        },
      ),
    )
  })
})
