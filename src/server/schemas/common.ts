import { z } from 'zod'

/** A name that people give: users, teams, repositories. Ends up in paths and in `trueup.yaml`, so it is narrow. */
export const Name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'letters, digits, dot, dash and underscore, at most 63, no dot at the start',
  )
  .refine((name) => !name.endsWith('.git') && !name.endsWith('.lock') && !name.includes('..'), {
    message: 'must not end in .git or .lock, nor hold two dots in a row',
  })

/** Path parameters of whatever belongs to a repository. */
export const InRepository = z.object({ repository: z.string().max(100) })

export const Time = z.number().int().meta({ description: 'milliseconds since 1970-01-01T00:00:00Z' })

/** Answer of a write that has nothing to say. */
export const Done = z.object({ ok: z.literal(true) })

export const Role = z.enum(['reader', 'contributor', 'maintainer', 'deployer', 'admin']).meta({ id: 'Role' })
