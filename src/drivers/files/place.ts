import type { Place } from '../../domain/plans/place.ts'
import type { PlaceSource } from '../driver.ts'
import type { FilesConfig } from './config.ts'
import { targetPath } from './host/target.ts'
import { normalise } from './source/rules.ts'

/**
 * The target with everything below it, on the hosts of a pool: what Git has today below it says nothing of tomorrow.
 * `exclude` leaves directories to other stacks, since this one never touches them. Unknown while an input of it is.
 */
export async function place({ config, inputs, pool }: PlaceSource<FilesConfig>): Promise<Place | null> {
  if (inputs === undefined && config.target.includes('${')) return null
  const path = targetPath({ config, inputs: inputs ?? {} })
  return { address: `files:${pool}:${path}`, except: config.exclude.map(normalise) }
}
