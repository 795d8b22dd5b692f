/** Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/), as far as workers need it. */
export type Kind = 'counter' | 'gauge'

const head = (name: string, kind: Kind, help: string): string[] => [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`]

export const one = (name: string, kind: Kind, help: string, value: number): string[] => [
  ...head(name, kind, help),
  `${name} ${value}`,
]

/** One line for each set of labels; values of labels are words of the program, and need no escapes. */
export const series = (
  name: string,
  kind: Kind,
  help: string,
  values: readonly (readonly [labels: { [label: string]: string }, value: number])[],
): string[] => [
  ...head(name, kind, help),
  ...values.map(
    ([labels, value]) =>
      `${name}{${Object.entries(labels)
        .map(([label, word]) => `${label}="${word}"`)
        .join(',')}} ${value}`,
  ),
]
