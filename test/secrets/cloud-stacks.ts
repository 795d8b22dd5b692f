import { stringify } from 'yaml'
import type { Said } from './program.ts'

/** Where the services of one environment are, and the secret as its source says it: by name, or in so many words. */
export interface Clouds {
  environment: 'masked' | 'open'
  kubeconfig: string
  cloudFormation: { url: string; region: string }
  canary: string
  key: string
  /** The source names variables; otherwise it says the values, since these drivers hide every variable that is named. */
  secret: boolean
}

/** The stacks of services. What their tools have no forms of, their sources write. */
export const cloudStacks = (clouds: Clouds): Said[] => [kubernetes(clouds), cloudFormation(clouds)]

const said = (place: string, form: string, text: string): string => `[${place}:${form}] ${text}`
const NAMESPACE = (environment: string): object => ({ namespace: environment, createNamespace: true, wait: false })

function kubernetes({ environment, kubeconfig, canary, key }: Clouds): Said {
  const both = (place: string): object => ({
    plain: said(`kubernetes:${place}`, 'plain', canary),
    lines: said(`kubernetes:${place}`, 'lines', key),
    within: said(`kubernetes:${place}`, 'within', `user:${canary}@host`),
  })
  const values = Object.values(both('value'))
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'told', annotations: both('annotation') },
      data: both('data'),
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'told' }, stringData: both('secret') },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'told' },
      spec: {
        containers: [
          {
            name: 'a',
            image: 'a',
            args: Object.values(both('argument')),
            env: values.map((value, at) => ({ name: `V${at}`, value })),
          },
        ],
      },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: LIVE }, data: { was: 'nothing' } },
  ]
  const text = objects.map((object) => stringify(object)).join('---\n')
  return {
    name: 'kubernetes',
    driver: 'kubernetes',
    with: { kubeconfig, ...NAMESPACE(environment) },
    files: { 'all.yaml': text },
  }
}

const LIVE = 'live'
/** An object that somebody has made by hand and that holds the secret: only its state before tells it. */
export const liveObject = (canary: string): object => ({
  metadata: { name: LIVE },
  data: { was: said('kubernetes:before', 'plain', canary) },
})

/** Objects that the server refuses, in words that quote them. */
export function refusedByKubernetes({ environment, kubeconfig, canary }: Clouds): Said {
  const value = (place: string): string => said('kubernetes', `${place}:plain`, canary)
  const objects = [
    { kind: 'Service', metadata: { name: 'type' }, spec: { type: value('enum'), ports: [{ port: 80 }] } },
    { kind: 'ConfigMap', metadata: { name: 'label', labels: { a: value('label') } } },
    { kind: 'Pod', metadata: { name: 'port' }, spec: { containers: [{ name: value('name'), image: 'a' }] } },
    { kind: 'ServiceAccount', metadata: { name: 'flag' }, automountServiceAccountToken: value('boolean') },
    { kind: 'Service', metadata: { name: 'number' }, spec: { ports: [{ port: value('number') }] } },
  ]
  const text = objects.map((object) => stringify({ apiVersion: 'v1', ...object })).join('---\n')
  return {
    name: 'kubernetes',
    driver: 'kubernetes',
    with: { kubeconfig, ...NAMESPACE(environment) },
    files: { 'all.yaml': text },
  }
}

function cloudFormation({ environment, cloudFormation: { url, region }, canary, key, secret }: Clouds): Said {
  const forms: { [form: string]: object } = {
    plain: { Ref: 'Canary' },
    within: { 'Fn::Sub': 'user:${Canary}@host' },
    lines: { Ref: 'Key' },
    line: { 'Fn::Select': [1, { 'Fn::Split': ['\n', { Ref: 'Key' }] }] },
    base64: { 'Fn::Base64': { Ref: 'Canary' } },
    base641: { 'Fn::Base64': { 'Fn::Sub': 'u${Canary}' } },
    base642: { 'Fn::Base64': { 'Fn::Sub': 'uu${Canary}!' } },
  }
  const each = (place: string, make: (form: string, text: object) => object): object =>
    Object.fromEntries(
      Object.entries(forms).map(([form, value]) => [
        form,
        make(form, { 'Fn::Join': ['', [said(`cloudformation:${place}`, form, ''), value]] }),
      ]),
    )
  const template = {
    Parameters: { Canary: { Type: 'String', NoEcho: secret }, Key: { Type: 'String' } },
    Resources: each('value', (form, Value) => ({
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: `/${environment}/${form}`, Type: 'String', Value },
    })),
    Outputs: each('output', (_form, Value) => ({ Value })),
  }
  const parameters = secret
    ? { secretParameters: { Canary: 'CANARY', Key: 'CANARY_KEY' } }
    : { parameters: { Canary: canary, Key: key } }
  return {
    name: 'cloudformation',
    driver: 'cloudformation',
    with: { endpoint: url, region, pollSeconds: 0.05, ...parameters },
    files: { 'template.yaml': stringify(template) },
  }
}
