import { z } from 'zod'

/** An address as tools write them; a leading dash would be an option of theirs. */
const Address = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .refine((text) => !text.startsWith('-') && !/[\n\r\0]/.test(text), 'an address of a resource or module')
const addresses = z.array(Address).max(100).default([])

/** An edit of what the tool has in its state; the real resources stay as they are. */
export const StateEdit = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('move'), from: Address, to: Address }),
  z.strictObject({ do: z.literal('remove'), addresses: z.array(Address).min(1).max(100) }),
])
export type StateEdit = z.infer<typeof StateEdit>

/** What a person asks of one run of a deployed revision, instead of the whole of it. */
export const RunRequest = z
  .strictObject({
    /** Only these, and what they depend on. */
    targets: addresses,
    /** These are destroyed and made anew. */
    replaces: addresses,
    /** Nothing real is changed, only the state. */
    state: StateEdit.optional(),
  })
  .refine(
    ({ targets, replaces, state }) => (state === undefined) === targets.length + replaces.length > 0,
    'either targets and replaces, or an edit of the state',
  )
export type RunRequest = z.infer<typeof RunRequest>

/** What of it a driver can do. */
export const REQUESTS = ['targets', 'replaces', 'state'] as const
export type RequestPart = (typeof REQUESTS)[number]

/** The parts that a request uses. */
export function partsOf(request: RunRequest): RequestPart[] {
  const { targets, replaces, state } = request
  return REQUESTS.filter(
    (part) => ({ targets: targets.length > 0, replaces: replaces.length > 0, state: state !== undefined })[part],
  )
}

/** In one line, for people: `replace aws_instance.a; only aws_vpc.b`. */
export function describeRequest({ targets, replaces, state }: RunRequest): string {
  return [
    ...(replaces.length > 0 ? [`replace ${replaces.join(', ')}`] : []),
    ...(targets.length > 0 ? [`only ${targets.join(', ')}`] : []),
    ...(state?.do === 'move' ? [`move ${state.from} to ${state.to} in the state`] : []),
    ...(state?.do === 'remove' ? [`remove ${state.addresses.join(', ')} from the state`] : []),
  ].join('; ')
}
