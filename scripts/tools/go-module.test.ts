import { expect, it } from 'vitest'
import { replacements } from './go-module.ts'

it('a fork of a library is taken at the version that the program names', () => {
  const goMod = `module example.org/tool

replace example.org/library/v2 v2.20.1 => example.org/fork/v2 v2.20.2-0.20251021132045-587d123c2828

replace example.org/any => example.org/other v1.0.0 // until it is merged
`
  expect(replacements(goMod, 'v1.12.6')).toEqual([
    'example.org/library/v2@v2.20.1=example.org/fork/v2@v2.20.2-0.20251021132045-587d123c2828',
    'example.org/any=example.org/other@v1.0.0',
  ])
})

it('a directory of the repository is taken as the module that it is published as', () => {
  const goMod = `require (
	k8s.io/api v0.0.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
	example.org/tools => ./hack/tools
)
`
  expect(replacements(goMod, 'v1.36.2')).toEqual([
    'k8s.io/api=k8s.io/api@v0.36.2',
    'k8s.io/client-go=k8s.io/client-go@v0.36.2',
  ])
})
