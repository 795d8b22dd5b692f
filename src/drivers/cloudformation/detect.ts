import { posix } from 'node:path'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { ReadFile } from '../driver.ts'
import { byPath, type Detected, type LeftOut, type Proposal } from '../proposal.ts'
import { localReferences } from './source/local-references.ts'
import { resourcesIn } from './source/expressions.ts'
import { DEFAULT_TEMPLATES } from './source/read.ts'
import { SAM_CONFIGS, samSettings } from './source/samconfig.ts'
import { declaredIn } from './source/parameters.ts'
import { parseTemplate, type Template } from './template/parse.ts'

/** Directories of these names hold what somebody else deploys, or nobody. */
const NOT_A_STACK =
  /(^|\/)(node_modules|vendor|\.aws-sam|cdk\.out|\.serverless|tests?|__tests__|fixtures|testdata|(examples?|samples?)([-_][^/]*)?|docs?|assets|modules)(\/|$)/
const MAX_BYTES = 1024 * 1024
/** A cheap look before a file is parsed: repositories have thousands of YAML and JSON files. */
const LOOKS_LIKE = /AWSTemplateFormatVersion|AWS::Serverless-2016-10-31|['"]?Type['"]?\s*:\s*['"]?AWS::[A-Za-z0-9]+::/

interface Found {
  path: string
  template: Template
}

/**
 * Templates of a repository, as proposals for `trueup init`: files with resources of AWS types that no other template
 * nests. One proposal for each directory that has a template under its usual name; other names, and parameters without
 * a default, are written into the proposal or left to the person who reads it. What `sam deploy` is configured with goes in.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  const candidates = files.filter((file) => /\.(ya?ml|json|template)$/.test(file) && !NOT_A_STACK.test(file))
  const found: Found[] = []
  for (const path of candidates) {
    const template = await templateAt(path, read)
    if (template !== null) found.push({ path, template })
  }
  const nested = new Set(found.flatMap(({ path, template }) => nestedIn(path, template)))
  const roots = found.filter(({ path }) => !nested.has(path))
  const proposals: Proposal[] = []
  const leftOut: LeftOut[] = [...nested].map((path) => ({ path, why: 'a template that another one nests' }))
  for (const [directory, group] of Map.groupBy(roots, ({ path }) => posix.dirname(path))) {
    const usual = DEFAULT_TEMPLATES.map((name) => group.find(({ path }) => posix.basename(path) === name)).find(Boolean)
    const single = withoutTwins(group)
    const chosen = usual === undefined ? single : [usual]
    const collection = chosen.length > MANY
    for (const { path } of single)
      if (collection || !chosen.some((one) => one.path === path))
        leftOut.push({
          path,
          why: collection
            ? `one of ${chosen.length} templates beside each other`
            : `${posix.basename(usual!.path)} is the usual name`,
        })
    if (collection) continue
    for (const one of chosen)
      proposals.push(
        proposal(directory, one, { isUsual: usual !== undefined, isOneOfSeveral: chosen.length > 1, files }),
      )
  }
  for (const found of proposals) {
    const name = SAM_CONFIGS.find((each) => files.includes(posix.join(found.path, each)))
    const text = name === undefined ? null : await read(posix.join(found.path, name))
    const settings = text === null ? {} : samSettings(text.toString('utf8'), name!)
    if (Object.keys(settings).length > 0) found.with = { ...found.with, ...settings }
  }
  return { stacks: proposals.toSorted(byPath), leftOut: leftOut.toSorted(byPath) }
}

/** More than these in one directory are a collection to choose from. */
const MANY = 6

/** The same template kept as YAML and as JSON is one; the YAML is what people write. */
function withoutTwins(group: readonly Found[]): Found[] {
  const stem = (path: string): string => path.replace(/\.[^.]+$/, '')
  const yaml = new Set(group.filter(({ path }) => !path.endsWith('.json')).map(({ path }) => stem(path)))
  return group.filter(({ path }) => !path.endsWith('.json') || !yaml.has(stem(path)))
}

function proposal(
  directory: string,
  { path, template }: Found,
  { isUsual, isOneOfSeveral, files }: { isUsual: boolean; isOneOfSeveral: boolean; files: readonly string[] },
): Proposal {
  const settings: { [key: string]: Json } = {}
  if (!isUsual) settings['template'] = posix.basename(path)
  const parameters = parameterFileOf(directory, path, files)
  if (parameters !== undefined && Object.keys(declaredIn(template.value)).length > 0)
    settings['parameterFiles'] = [parameters]
  const capabilities = capabilitiesOf(template.value)
  if (capabilities.length > 0) settings['capabilities'] = capabilities
  return {
    path: directory,
    // Several templates of one directory are several stacks: the path alone does not name them.
    ...(isOneOfSeveral && { name: posix.join(directory, posix.basename(path).replace(/(\.template)?\.[^.]+$/, '')) }),
    ...(Object.keys(settings).length > 0 && { with: settings }),
    why: `template ${posix.basename(path)}`,
    confidence: isUsual || !isOneOfSeveral ? 'sure' : 'likely',
  }
}

async function templateAt(path: string, read: ReadFile): Promise<Template | null> {
  const content = await read(path)
  if (content === null || content.length > MAX_BYTES) return null
  const text = content.toString('utf8')
  if (!LOOKS_LIKE.test(text)) return null
  try {
    const template = parseTemplate(text, path)
    const isAws = resourcesIn(template.value).some(([, { Type: type }]) =>
      /^(AWS|Custom)::/.test(String(type as string)),
    )
    return isAws ? template : null
  } catch {
    return null
  }
}

function nestedIn(path: string, template: Template): string[] {
  return localReferences(template.value)
    .filter(({ kind }) => kind === 'template')
    .map(({ local }) => posix.normalize(posix.join(posix.dirname(path), local)))
}

/** `parameters.json`, or what is named after the template (`network.parameters.json`, `network-parameters.json`). */
function parameterFileOf(directory: string, path: string, files: readonly string[]): string | undefined {
  const stem = posix.basename(path).replace(/\.[^.]+$/, '')
  const names = ['parameters.json', `${stem}.parameters.json`, `${stem}-parameters.json`, `${stem}.params.json`]
  return names.find((name) => files.includes(posix.join(directory, name)))
}

/** What the template needs to be acknowledged, as far as it shows. */
function capabilitiesOf(template: JsonObject): string[] {
  const resources = resourcesIn(template)
  const iam = resources.filter(([, { Type: type }]) => String(type as string).startsWith('AWS::IAM::'))
  const named = iam.some(([, { Properties: properties }]) =>
    /"(RoleName|UserName|GroupName|ManagedPolicyName)"/.test(JSON.stringify(properties ?? {})),
  )
  const functions = resources.some(
    ([, one]) =>
      one['Type'] === 'AWS::Serverless::Function' && !JSON.stringify(one['Properties'] ?? {}).includes('"Role"'),
  )
  const expands = resources.some(([, one]) => one['Type'] === 'AWS::Serverless::Application')
  return [
    ...(named ? ['CAPABILITY_NAMED_IAM'] : iam.length > 0 || functions ? ['CAPABILITY_IAM'] : []),
    ...(expands ? ['CAPABILITY_AUTO_EXPAND'] : []),
  ]
}
