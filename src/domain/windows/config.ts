import { z } from 'zod'

/** `{ deny: "fri 16:00 - mon 08:00", timezone: Europe/Amsterdam }` or `{ allow: "mon-fri 09:00 - 17:00" }`. */
export const WindowConfig = z.strictObject({
  allow: z
    .string()
    .optional()
    .describe('Changes are deployed only inside such a window: "mon-fri 09:00 - 17:00". Either this or deny.'),
  deny: z
    .string()
    .optional()
    .describe(
      'Nothing is deployed inside it: "fri 16:00 - mon 08:00", "2026-12-20 - 2027-01-03". Either this or allow.',
    ),
  timezone: z.string().optional().describe('IANA zone whose clock the times mean: Europe/Amsterdam. Default: UTC.'),
})

export type WindowConfig = z.infer<typeof WindowConfig>
