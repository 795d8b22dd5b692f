import { z } from 'zod'

/** A day or a moment, in UTC: `2026-11-30`, `2026-11-30T12:00:00Z`. A day begins at midnight. */
const Moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/, 'a day or a moment in UTC: 2026-11-30, 2026-11-30T12:00:00Z')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a day that there is')

const SSH_KEY =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{40,2000}={0,2}(?: [^\r\n]{0,200})?$/

/** One key by which somebody signs. A person with two keys stands here twice. */
export const SignerConfig = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][\w.@+-]{0,99}$/, 'letters, digits, ".", "_", "@", "+" and "-"')
      .describe('Whose key it is, as people read it: ada@example.org.'),
    user: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Account of the person: what is signed or brought after it was disabled does not count.'),
    ssh: z
      .string()
      .regex(SSH_KEY, 'a line of an SSH public key')
      .optional()
      .describe('SSH public key, as in id_ed25519.pub.'),
    gpg: z
      .string()
      .max(20_000)
      .regex(/^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----/, 'an armoured OpenPGP public key')
      .optional()
      .describe('OpenPGP public key, armoured: gpg --export --armor.'),
    from: Moment.optional().describe('What is signed before does not count.'),
    until: Moment.optional().describe('What is signed or brought from then on does not count.'),
    revoked: z
      .union([Moment, z.literal('always')])
      .optional()
      .describe(
        'The key was stolen then: what is signed or brought from then on does not count; always: nothing of it ever.',
      ),
  })
  .refine(({ ssh, gpg }) => (ssh === undefined) !== (gpg === undefined), 'needs either ssh or gpg')

/** What an environment asks for. */
export const SignaturesConfig = z.strictObject({
  require: z
    .array(z.enum(['commits', 'merges']))
    .min(1)
    .max(2)
    .describe(
      'commits: each commit that a change brings. merges: each commit of the branch itself, as the forge makes them.',
    ),
  accept: z
    .array(z.string().regex(/^[0-9a-f]{40}$/, 'the 40 digits of a commit'))
    .max(1000)
    .optional()
    .describe(
      'Commits that count as signed, whatever is known of them. Believed where the commit that says so is signed itself.',
    ),
})

export const SignerList = z.array(SignerConfig).max(500)

export type SignerConfig = z.infer<typeof SignerConfig>
export type SignaturesConfig = z.infer<typeof SignaturesConfig>
