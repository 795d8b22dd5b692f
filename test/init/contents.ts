/** What usual files hold, for the estates. */
const CONTENTS: { [name: string]: (argument: string) => string } = {
  root: () => 'terraform {\n  backend "local" {}\n}\n',
  s3: (settings) => `terraform {\n  backend "s3" {\n    ${settings}\n  }\n}\n`,
  resource: () => 'resource "null_resource" "one" {\n}\n',
  play: () => '- hosts: all\n  tasks: []\n',
  object: (name) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name || 'one'} }\n`,
  chart: () => 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  template: () => 'Resources:\n  Queue: { Type: AWS::SQS::Queue }\n',
  sam: () =>
    'Transform: AWS::Serverless-2016-10-31\nResources:\n  F: { Type: AWS::Serverless::Function, Properties: { CodeUri: src, Handler: a.b, Runtime: python3.12 } }\n',
  flux: (path) => flux(path, ''),
  'flux-with-substitution': (path) => flux(path, '  postBuild: { substitute: { a: b } }\n'),
  'flux-artifacts': (name) =>
    `apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: { name: all }\nspec:\n  sources: [{ alias: here, kind: GitRepository, name: flux-system }]\n  artifacts: [{ name: ${name}, copy: [{ from: "@here/${name}/**", to: "@artifact/" }] }]\n`,
  'flux-of-artifact': (path) =>
    `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: one }\nspec: { path: ./${path}, sourceRef: { kind: ExternalArtifact, name: apps } }\n`,
  argo: (path) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: one, namespace: argocd }\nspec:\n  source: { repoURL: https://example.org/here.git, path: ${path} }\n  destination: { namespace: web }\n`,
  applicationset: (path) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: { name: all }\nspec:\n  generators: [{ git: { repoURL: x, directories: [{ path: "${path}" }] } }]\n  template: { spec: { source: { path: "{{path}}" } } }\n`,
}

const flux = (path: string, more: string): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: one, namespace: flux-system }\nspec:\n  path: ./${path}\n  sourceRef: { kind: GitRepository, name: flux-system }\n${more}`

/** The text of a file: as it stands, or what `@NAME ARGUMENT` stands for. */
export function contentOf(given: string): string {
  const [, name, argument = ''] = /^@([\w-]+)(?: (.*))?$/.exec(given) ?? []
  if (name === undefined) return given
  const make = CONTENTS[name]
  if (make === undefined) throw new Error(`no content is called @${name}`)
  return make(argument)
}
