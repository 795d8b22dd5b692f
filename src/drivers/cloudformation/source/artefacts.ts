import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { CloudFormationConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import { type LocalReference, localReferences, placeOf } from './local-references.ts'
import { readNested, type SourceTemplate } from './read.ts'
import { packed } from './zip.ts'

/** One file for the bucket. Its key is its content, so that it is uploaded once and never changed. */
export interface Artefact {
  key: string
  content: Buffer
  /** Templates must be there before a change set is made, code only before it is executed. */
  kind: 'template' | 'code'
}

export interface Packaged {
  /** The template as it is sent, local paths replaced by places in the bucket. */
  body: string
  artefacts: Artefact[]
}

const MAX_NESTING = 5

/**
 * Packs what the template names on the disk (`aws cloudformation package`): code as zips, nested templates packaged
 * likewise. CONFIG_INVALID without a bucket to put it into, SOURCE_INVALID where a path leads nowhere.
 */
export async function packageTemplate(
  context: DriverContext<CloudFormationConfig>,
  template: SourceTemplate,
  url: (key: string) => string,
  depth = 0,
): Promise<Packaged> {
  const references = localReferences(template.value)
  if (references.length === 0) return { body: template.write(), artefacts: [] }
  const bucket = bucketOf(context, template, references[0]!)
  if (depth >= MAX_NESTING) {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `packaging ${template.path}`,
      why: `nested templates go deeper than ${MAX_NESTING} levels`,
    })
  }
  const artefacts: Artefact[] = []
  for (const reference of references) {
    const made =
      reference.kind === 'template'
        ? await nested(context, template, reference, { url, depth })
        : [await codeOf(context, template, reference)]
    artefacts.push(...made)
    const { key } = made.at(-1)!
    template.set(reference.path, placeOf(reference, { bucket, key, url: url(key) }))
  }
  return { body: template.write(), artefacts }
}

async function nested(
  context: DriverContext<CloudFormationConfig>,
  parent: SourceTemplate,
  reference: LocalReference,
  { url, depth }: { url: (key: string) => string; depth: number },
): Promise<Artefact[]> {
  const child = await readNested(context, parent, reference.local)
  const { body, artefacts } = await packageTemplate(context, child, url, depth + 1)
  return [...artefacts, artefact(context, Buffer.from(body), 'template', 'template')]
}

async function codeOf(
  context: DriverContext<CloudFormationConfig>,
  template: SourceTemplate,
  reference: LocalReference,
): Promise<Artefact> {
  const path = await insideWorkspace(context, reference.local, dirname(template.file))
  const found = await stat(path).catch((cause: unknown) => {
    const line = template.lineOf(reference.path)
    throw new TrueupError('SOURCE_INVALID', {
      doing: `packaging ${reference.path.join('.')} of ${template.path}`,
      why: `${line === undefined ? '' : `line ${line}: `}${reference.local} does not exist`,
      cause,
      details: { path: template.path, ...(line !== undefined && { line }) },
    })
  })
  const asIs = found.isFile() && (reference.kind === 'file' || /\.(zip|jar)$/.test(path))
  const content = asIs ? await readFile(path) : await packed(path)
  const extension = asIs ? (/\.[A-Za-z0-9]+$/.exec(path)?.[0].slice(1) ?? 'bin') : 'zip'
  return artefact(context, content, extension, 'code')
}

/** Key of a content: `PREFIX/HASH.EXTENSION`. */
export function artefact(
  { config }: DriverContext<CloudFormationConfig>,
  content: Buffer,
  extension: string,
  kind: Artefact['kind'],
): Artefact {
  const hash = createHash('sha256').update(content).digest('hex')
  return { key: [config.bucketPrefix, `${hash}.${extension}`].filter(Boolean).join('/'), content, kind }
}

function bucketOf(
  { config, stack }: DriverContext<CloudFormationConfig>,
  template: SourceTemplate,
  reference: LocalReference,
): string {
  if (config.bucket !== undefined) return config.bucket
  const line = template.lineOf(reference.path)
  throw new TrueupError('CONFIG_INVALID', {
    doing: `packaging the template of stack "${stack.name}"`,
    why: `${template.path}${line === undefined ? '' : ` line ${line}`} names the local path ${reference.local}, and there is no bucket to put it into`,
    next: 'Name a bucket that CloudFormation can read in `with.bucket`.',
  })
}
