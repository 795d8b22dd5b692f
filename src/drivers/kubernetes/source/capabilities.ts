/** What a chart is told of its cluster: `.Capabilities`. */
export interface Capabilities {
  /** `v1.32.4`. */
  kubeVersion: string
  apiVersions: readonly string[]
}
