import { z } from 'zod'
import { globProblem } from '../../domain/glob.ts'

/** A pattern of paths in settings, refused with a reason where it cannot be one. */
export const Glob = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const why = globProblem(pattern)
    if (why !== null) context.addIssue({ code: 'custom', message: why })
  })
