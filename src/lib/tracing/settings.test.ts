import { describe, expect, it } from 'vitest'
import { sampledPart, signalSettings } from './settings.ts'

const OTLP = { exporter: 'otlp', protocol: 'http/protobuf' }

describe('what the environment asks for', () => {
  it.each([
    ['nothing', {}, null],
    ['an address for all', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, OTLP],
    ['an address of its own', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c' }, OTLP],
    ['the address of another signal', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' }, null],
    ['an exporter without an address', { OTEL_TRACES_EXPORTER: 'otlp' }, OTLP],
    ['none in spite of an address', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_EXPORTER: 'none' }, null],
    ['all switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'TRUE' }, null],
    ['an empty value, which is none', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, null],
    [
      'JSON, of this signal alone',
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      },
      { exporter: 'otlp', protocol: 'http/json' },
    ],
    ['lines on standard output', { OTEL_TRACES_EXPORTER: 'console' }, { ...OTLP, exporter: 'console' }],
  ])('%s', (_, env, settings) => {
    expect(signalSettings('TRACES', env)).toEqual(settings)
  })

  it.each([
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
    ['OTEL_TRACES_EXPORTER', 'otlp,console'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ])('refuses %s=%s by its name', (name, value) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', [name]: value }
    expect(() => signalSettings('TRACES', env)).toThrow(`${name} is "${value}"`)
  })
})

describe('the part of traces', () => {
  it.each([
    [{}, 1],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, 1],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, 0.25],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, 1],
  ])('%j', (env, part) => {
    expect(sampledPart(env)).toBe(part)
  })

  it.each([
    { OTEL_TRACES_SAMPLER: 'jaeger_remote' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' },
  ])('refuses %j', (env) => {
    expect(() => sampledPart(env)).toThrow(/OTEL_TRACES_SAMPLER/)
  })
})
