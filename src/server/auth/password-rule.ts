import { z } from 'zod'

/** Length is what makes a password hard to guess; the upper bound keeps hashing cheap. */
export const Password = z.string().min(12, 'at least 12 characters').max(256)
