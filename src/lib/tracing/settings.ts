import { TrueupError } from '../errors/error.ts'

type Env = { [name: string]: string | undefined }

/** What `OTEL_*` says of one signal. */
export interface SignalSettings {
  exporter: 'otlp' | 'console'
  protocol: 'http/protobuf' | 'http/json'
}

/**
 * By OpenTelemetry's environment variables: a signal is sent when an exporter or an address is named for it. Null: it is not
 * wanted. Addresses, headers, certificates, time-outs and batches are read by the exporters themselves.
 * @throws INVALID_REQUEST of a name that is not known here: who asks for telemetry must not find out weeks later that there is none
 */
export function signalSettings(signal: 'TRACES' | 'METRICS', env: Env): SignalSettings | null {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null
  const address = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env.OTEL_EXPORTER_OTLP_ENDPOINT
  const exporter = env[`OTEL_${signal}_EXPORTER`] || (address ? 'otlp' : 'none')
  if (exporter === 'none') return null
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf'
  if (exporter !== 'otlp' && exporter !== 'console')
    throw unknown(`OTEL_${signal}_EXPORTER is "${exporter}"`, 'Use otlp, console or none.')
  if (protocol !== 'http/protobuf' && protocol !== 'http/json')
    throw unknown(
      `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}"`,
      'Use http/protobuf or http/json; collectors take both.',
    )
  return { exporter, protocol }
}

/**
 * The part of all traces that is sent, from 0 to 1, by `OTEL_TRACES_SAMPLER`. Ids are made of what they stand for, so every
 * process decides alike by the id alone, and `parentbased_` changes nothing.
 * @throws INVALID_REQUEST
 */
export function sampledPart(env: Env): number {
  const sampler = (env.OTEL_TRACES_SAMPLER || 'always_on').replace(/^parentbased_/, '')
  if (sampler === 'always_on') return 1
  if (sampler === 'always_off') return 0
  const next = 'Use always_on, always_off, or traceidratio with OTEL_TRACES_SAMPLER_ARG from 0 to 1.'
  if (sampler !== 'traceidratio') throw unknown(`OTEL_TRACES_SAMPLER is "${env.OTEL_TRACES_SAMPLER}"`, next)
  const part = Number(env.OTEL_TRACES_SAMPLER_ARG || '1')
  if (!(part >= 0 && part <= 1)) throw unknown(`OTEL_TRACES_SAMPLER_ARG is "${env.OTEL_TRACES_SAMPLER_ARG}"`, next)
  return part
}

const unknown = (why: string, next: string): TrueupError =>
  new TrueupError('INVALID_REQUEST', { doing: 'starting telemetry', why, next })
