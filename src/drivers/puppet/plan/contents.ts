import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../../lib/json.ts'
import type { Host } from '../../hosts/host.ts'
import { textOf } from '../../values/text.ts'
import { type CatalogResource, plainValue } from '../source/catalog.ts'

/** Larger files are shown by their checksums. */
const MAX_CONTENT = 256 * 1024

/** Contents of files, which reports give only as checksums. */
export interface Contents {
  /** What the code wants in the file, or null where that is no text, too large, or only the host knows. */
  desired(resource: CatalogResource | undefined): Promise<string | null>
  /** What is in it on the host, or null likewise. */
  live(host: Host, resource: CatalogResource): Promise<string | null>
}

/** `modules` are absolute directories on the worker, in the order of the module path. */
export function contentsOf(modules: readonly string[]): Contents {
  return {
    async desired(resource) {
      if (resource?.type !== 'File') return null
      const { source } = resource.parameters
      const content = plainValue(resource.parameters.content ?? null)
      if (typeof content === 'string') return content.length <= MAX_CONTENT ? content : null
      // A list of sources is a question to the host: the first that is there.
      const found = typeof source === 'string' ? /^puppet:\/\/\/modules\/(\w+)\/(.+)$/.exec(source) : null
      if (found === null) return null
      for (const directory of modules) {
        const file = await readFile(join(directory, found[1]!, 'files', found[2]!)).catch(() => null)
        if (file !== null) return asText(file)
      }
      return null
    },
    async live(host, { title, parameters }) {
      const path = typeof parameters.path === 'string' ? parameters.path : title
      const file = await host.read(path, MAX_CONTENT + 1)
      return file === null ? null : asText(file)
    },
  }
}

const asText = (file: Buffer): string | null => (file.length > MAX_CONTENT ? null : textOf(file))

/** Whether a text has the checksum that a report names, as `{sha256}…`: only then is it what Puppet saw. */
export function sameChecksum(text: string, checksum: Json): boolean {
  const found = typeof checksum === 'string' ? /^\{(md5|sha\d+)\}([0-9a-f]+)$/.exec(checksum) : null
  if (found === null) return false
  return createHash(found[1]!).update(text).digest('hex') === found[2]
}
