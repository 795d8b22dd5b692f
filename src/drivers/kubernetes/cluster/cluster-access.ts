/** A list is sent as one header each. */
export interface Headers {
  [name: string]: string | string[]
}

/** How a cluster is reached and as whom. */
export interface ClusterAccess {
  /** `https://host:port`, with a path where the API lies below one. */
  server: string
  tls: { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean }
  /** Headers that say who we are; asked before each request, since tokens run out. */
  headers(): Promise<Headers>
  /** Namespace of the context, where it names one. */
  namespace?: string
  /** Equal for equal clusters and identities: connections and what is known of the API are shared by it. */
  identity: string
}
