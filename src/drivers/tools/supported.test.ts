import { describe, expect, it } from 'vitest'
import { checkSupported, SUPPORTED } from './supported.ts'

describe('supported versions', () => {
  it.each([
    ['ansible-playbook', '2.14.18'],
    ['ansible-playbook', '2.22.0b2'],
    ['puppet', '9.0.0-rc1'],
    ['helm', '4.3.2'],
    ['helm', '3.6.2+gee407bd'],
    ['kubectl', '1.32.4-dispatcher'],
    ['kustomize', '(devel)'],
    ['ssh', '10.6p1'],
    ['tofu', '1.12.0-beta1'],
    ['unheard-of', '0.0.1'],
  ])('takes %s %s', (name, version) => {
    expect(() => checkSupported({ name, version })).not.toThrow()
  })

  it.each([
    ['ansible-playbook', '2.9.27'],
    ['puppet', '6.28.0'],
    ['helm', '2.17.0'],
    ['terraform', '0.15.5'],
    ['chef-client', '15.17.4'],
  ])('refuses %s %s with the range', (name, version) => {
    const range = SUPPORTED[name]!
    expect(() => checkSupported({ name, path: `/opt/${name}`, version })).toThrow(
      expect.objectContaining({
        code: 'TOOL_VERSION',
        message: expect.stringContaining(`/opt/${name} has ${version}, supported is ${range}`) as string,
      }),
    )
  })
})
