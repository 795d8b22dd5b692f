import { z } from 'zod'

export const SignedCommit = z
  .object({
    commit: z.string(),
    committedAt: z.number().meta({ description: 'milliseconds; as the commit itself says' }),
    merge: z.boolean().meta({ description: 'it stands on a target branch itself, by a merge request' }),
    signature: z
      .enum(['none', 'good', 'bad', 'unknown', 'expired', 'revoked'])
      .meta({ description: 'what Git says of it, whatever the times of keys' }),
    format: z.enum(['ssh', 'gpg']).nullable(),
    key: z.string().nullable().meta({ description: 'fingerprint' }),
    environments: z
      .array(
        z.object({
          name: z.string(),
          require: z.array(z.enum(['commits', 'merges'])),
          asked: z.boolean().meta({ description: 'the environment asks for signatures of commits of this kind' }),
          accepted: z.boolean(),
          code: z.string().nullable(),
          why: z.string(),
          signer: z.string().nullable(),
          key: z.string().nullable(),
        }),
      )
      .meta({ description: 'those that ask for signatures' }),
  })
  .meta({ id: 'SignedCommit' })
export type SignedCommit = z.infer<typeof SignedCommit>
