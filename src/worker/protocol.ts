/** The wire stands in the domain, because the engine below speaks it too. */
export * from '../domain/wire/worker-protocol.ts'
