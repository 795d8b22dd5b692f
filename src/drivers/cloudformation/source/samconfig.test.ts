import { expect, test } from 'vitest'
import { samSettings } from './samconfig.ts'

test('what sam deploy reads becomes settings, values of the command over global ones', () => {
  const text = `version = 0.1
[default.global.parameters]
stack_name = "shop"
region = "eu-west-1"
[default.deploy.parameters]
region = "eu-central-1"
capabilities = "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
s3_bucket = "packages"
resolve_s3 = false
parameter_overrides = "Stage=\\"prod blue\\" Size=2 ParameterKey=Old,ParameterValue=x"
tags = ["team=shop", "cost=12"]
`
  expect(samSettings(text, 'samconfig.toml')).toEqual({
    stackName: 'shop',
    region: 'eu-central-1',
    bucket: 'packages',
    capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
    parameters: { Stage: 'prod blue', Size: '2', Old: 'x' },
    tags: { team: 'shop', cost: '12' },
  })
})

test('YAML, one environment of another name, and a file that nobody can read', () => {
  const yaml =
    'version: 0.1\nprod:\n  deploy:\n    parameters:\n      stack_name: shop\n      parameter_overrides: [A=1]\n'
  expect(samSettings(yaml, 'samconfig.yaml')).toEqual({ stackName: 'shop', parameters: { A: '1' } })
  expect(samSettings('[[[', 'samconfig.toml')).toEqual({})
  expect(samSettings('[a.deploy.parameters]\nregion="x"\n[b.deploy.parameters]\n', 'samconfig.toml')).toEqual({})
})
