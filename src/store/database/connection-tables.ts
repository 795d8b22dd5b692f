/** What is known of the forges that repositories are connected to. */
export interface ConnectionTables {
  /** One per connected repository: where it is, what it is reached by, and how the last look went. */
  connections: {
    id: string
    repositoryId: string
    forge: 'gitea' | 'gitlab' | 'github'
    /** `https://git.example.test`, no slash at the end: the only host that the token is ever sent to. */
    address: string
    /** The forge's own id of the repository, which stays when it is renamed. */
    remoteId: string
    /** `owner/name` as of the last look. */
    path: string
    /** Whose token it is: what they write is Trueup's. */
    botId: string
    botName: string
    tokenSealed: string
    hookId: string | null
    hookSecretSealed: string | null
    /** Why there is no webhook; null where there is one. */
    hookProblem: string | null
    lookedAt: number | null
    nextLookAt: number
    /** Up to when comments were read, by the forge's clock; null before the first time. */
    heardUntil: number | null
    /** Error body of the last look; null where it went well. */
    problemJson: string | null
    requestsLeft: number | null
    requestsLimit: number | null
    requestsResetAt: number | null
    createdById: string
    createdAt: number
  }
  /** Who somebody of a forge is here, by the id that the forge never gives to anybody else. */
  forgePeople: {
    id: string
    address: string
    remoteId: string
    userId: string
    /** 1: the account was made for this person, and has what rights the forge gives. */
    made: number
    createdAt: number
  }
  /** What Trueup has written on a forge, so that it is written once: comments and statuses of a merge request. */
  forgePosts: {
    id: string
    mrId: string
    /** `comment:plan`; `status:OID:trueup/gate`. */
    name: string
    /** The forge's id of it; null where it has none. */
    remoteId: string | null
    digest: string
    /** Of a status: `pending`, `success`, `failure`. */
    state: string | null
    updatedAt: number
    createdAt: number
  }
  /** Which plans stood on a merge request's page since when, by the forge's clock: what an approval given there saw. */
  shownPlans: { id: string; mrId: string; headOid: string; digestsJson: string; filesJson: string; at: number }
  /** Comments that command something, each taken once. */
  forgeCommands: {
    id: string
    repositoryId: string
    mrId: string
    /** The forge's id of the comment. */
    commentId: string
    userId: string
    body: string
    /** By the forge's clock: what stood on the page before that was seen. */
    writtenAt: number
    /** Of the merge request when it was taken: a second try must not mean something else. */
    mrState: 'open' | 'merging' | 'merged' | 'closed'
    /** `passed`: it was there before anybody listened, or is gone. */
    state: 'taken' | 'done' | 'passed'
    /** What came of each of its commands so far; null before the first. */
    answersJson: string | null
    createdAt: number
  }
  /** Deliveries of webhooks that were taken, so that a repeated one does nothing. */
  hookDeliveries: { repositoryId: string; deliveryId: string; at: number }
}
