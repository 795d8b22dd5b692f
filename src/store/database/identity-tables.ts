/** How the server vouches for runs, and who vouches for people. */
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
  /** What an account proves itself by beside its password. */
  secondFactors: {
    id: string
    userId: string
    secretSealed: string
    /** Null: begun, and not asked for yet. */
    confirmedAt: number | null
    /** The newest thirty seconds whose code was used. */
    lastStep: number
    /** Wrong codes since the last right one. */
    failures: number
    lockedUntil: number | null
    createdAt: number
  }
  /** SHA-256 of codes for the day that the second factor is lost. */
  recoveryCodes: { id: string; userId: string; hash: string; usedAt: number | null; createdAt: number }
  /** OpenID Connect providers at which people log in. */
  loginProviders: {
    id: string
    /** Part of the address to which the provider sends people back. */
    name: string
    issuer: string
    clientId: string
    /** Null: a public client. */
    secretSealed: string | null
    /** Separated by blanks. */
    scopes: string
    /** Claim that lists the groups of a person. */
    groupsClaim: string
    /** See `domain/people/group-rules.ts`. */
    rulesJson: string
    createdAt: number
  }
  /** Who somebody of a provider is here; names and addresses of theirs say nothing about that. */
  loginSubjects: {
    id: string
    providerId: string
    subject: string
    userId: string
    /** What the rules gave them at the last login, so that it can be taken back and nothing else. */
    givenJson: string
    /** The account was disabled because no rule speaks of them any more. */
    endedAt: number | null
    createdAt: number
  }
}
