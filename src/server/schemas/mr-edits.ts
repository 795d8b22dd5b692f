import { z } from 'zod'

export const Head = z
  .string()
  .regex(/^[0-9a-f]{7,64}$/i, 'a commit id has 7 to 64 hex digits')
  .meta({ description: 'the head that was looked at: all of its hex digits, or the first 7 and more' })
const Path = z.string().min(1).max(4_096)

export const SourceFile = z
  .object({
    path: z.string(),
    head: z.string().meta({ description: 'where the source branch stands now; to be sent with a change' }),
    content: z.string(),
  })
  .meta({ id: 'SourceFile' })

export const NewCommit = z.strictObject({
  head: Head,
  message: z
    .string()
    .trim()
    .max(10_000)
    .refine((text) => !text.includes('\0'), 'a message has no zero byte')
    .default('')
    .meta({ description: 'says which files change where empty' }),
  files: z
    .array(
      z.strictObject({
        path: Path,
        content: z
          .string()
          .max(1_048_576)
          .nullable()
          .meta({ description: 'the whole new text; null removes the file' }),
      }),
    )
    .min(1)
    .max(20),
})

export const SuggestionOrder = z.strictObject({
  suggestion: z.number().int().min(0).max(1_000).default(0).meta({ description: 'which one of the comment, from 0' }),
  head: Head.optional(),
})

export const Committed = z
  .object({ commit: z.string().meta({ description: 'where the source branch stands now' }) })
  .meta({ id: 'Committed' })

export const Suggestion = z
  .object({
    line: z.number().meta({ description: 'first line that it replaces, in the file as it was commented' }),
    before: z.string(),
    after: z.string(),
  })
  .meta({ id: 'Suggestion' })
export type Suggestion = z.infer<typeof Suggestion>
