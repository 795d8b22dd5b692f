import { describe, expect, it } from 'vitest'
import { readManifests } from './manifests.ts'
import { otherTools } from './other-tools.ts'

const told = (text: string): string[] =>
  otherTools(readManifests(text, 'a.yaml', [])).map(({ warning = 'error', message }) => `${warning}: ${message}`)

const ENCRYPTED = 'ENC[AES256_GCM,data:abc=,iv:x,tag:y,type:str]'

describe('what other tools would still make something of', () => {
  it.each([
    [
      'a secret of SOPS',
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: "${ENCRYPTED}"}\nsops: {mac: "${ENCRYPTED}", version: 3.9.0}\n`,
      /^error: Secret "a" is encrypted by SOPS/,
    ],
    [
      'an encrypted file in a generated secret',
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {f: ${Buffer.from(`p: ${ENCRYPTED}\nsops:\n  mac: x\n`).toString('base64')}}\n`,
      /^error: Secret "a" is encrypted/,
    ],
    [
      'a generator of KSOPS',
      'apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: g}\nfiles: [./s.enc.yaml]\n',
      /^error: ksops "g" is a generator of KSOPS/,
    ],
    [
      'a host that Flux fills in',
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{host: "app.${SECRET_DOMAIN}"}]}\n',
      /^error: Ingress "a" has \$\{SECRET_DOMAIN\} at spec\.rules\[0\]\.host/,
    ],
    [
      'an image with a default',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: "a:${tag:=1.2}"}]}\n',
      /^error: Pod "a" has \$\{tag:=1\.2\}/,
    ],
    [
      'a namespace',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: "${NAMESPACE}"}\nspec: {}\n',
      /^error: .*metadata\.namespace/,
    ],
    [
      'a text of unknown meaning',
      'apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec: {zone: "${ZONE}"}\n',
      /^unfilled_variable: Thing "a" has \$\{ZONE\} at spec\.zone/,
    ],
    [
      'an ApplicationSet',
      'apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec: {generators: [{list: {}}]}\n',
      /^left_to_other_tool: .*with its generators.*Argo CD/,
    ],
    [
      'a Kustomization of Flux',
      'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {targetNamespace: x, postBuild: {substitute: {A: b}}}\n',
      /^left_to_other_tool: .*postBuild, targetNamespace.*Flux/,
    ],
  ])('names %s', (_what, text, words) => {
    expect(told(text)).toEqual([expect.stringMatching(words)])
  })

  it.each([
    [
      'a script',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, command: [sh, -c, "echo ${HOME}"]}]}\n',
    ],
    ['a configuration', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {f: "x=${HOSTNAME}"}\n'],
    ['an escaped one', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: "$${NAME}"}}\nspec: {}\n'],
    [
      'a variable of nginx',
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, annotations: {n: "set $x ${host}"}}\nspec: {}\n',
    ],
    [
      'an object of Argo Workflows',
      'apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: {}\n',
    ],
  ])('says nothing of %s', (_what, text) => {
    expect(told(text)).toEqual([])
  })
})
