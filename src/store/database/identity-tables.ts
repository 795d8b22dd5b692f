/** How the server vouches for runs. */
export interface IdentityTables {
  /** Keys that sign tokens of runs. */
  issuerKeys: {
    /** The `kid` of tokens. */
    id: string
    /** Public JWK. */
    publicJson: string
    /** Private JWK, sealed. */
    privateSealed: string
    /** Shown before that, so that verifiers that keep what they read know it when it is used. */
    signsFrom: number
    /** Null: no newer key has taken its place. */
    shownUntil: number | null
    createdAt: number
  }
}
