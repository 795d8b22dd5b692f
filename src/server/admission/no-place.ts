import { TrueupError } from '../../lib/errors/error.ts'
import type { NoPlace } from './fair-places.ts'

/** What somebody is told for whom there is no place. */
export function noPlace(why: NoPlace): TrueupError {
  const doing = 'answering this request'
  if (why === 'share full')
    return new TrueupError('TOO_MANY_REQUESTS', {
      doing,
      why: 'too many of yours wait already',
      next: 'Ask again in a second.',
    })
  return new TrueupError('UNAVAILABLE', {
    doing,
    why: why === 'too long' ? 'its turn did not come in time' : 'the server has more to do than it can',
    next: 'Try again in a moment.',
  })
}
