import { type Call, mayWrite, missing, ok, pullOf, Refusal, type Route, userJson } from './call.ts'
import { type DoubleComment, type DoubleReview, now } from './state.ts'

const R = '/repos/{owner}/{repo}'
const STATES: { readonly [event: string]: string } = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
}

const reviewJson = ({ user, number: _number, ...review }: DoubleReview) => ({ ...review, user: userJson(user) })
const commentJson = ({ user, number, reactions: _reactions, ...comment }: DoubleComment) => ({
  ...comment,
  user: userJson(user),
  issue_url: `https://elsewhere.example.test/repos/owner/shop/issues/${number}`,
  html_url: `https://elsewhere.example.test/owner/shop/pull/${number}#issuecomment-${comment.id}`,
})
const commentOf = ({ state, parts }: Call): DoubleComment =>
  state.comments.find(({ id }) => id === Number(parts[0])) ?? missing()

/** Reviews and comments. */
export const TALK_ROUTES: readonly Route[] = [
  [
    `get ${R}/pulls/{pull_number}/reviews`,
    async (call) => ok(call.state.reviews.filter(({ number }) => number === pullOf(call).number).map(reviewJson)),
  ],
  [
    `post ${R}/pulls/{pull_number}/reviews`,
    async (call) => {
      const { state, user, body } = call
      const pull = pullOf(call)
      if (body.event !== 'COMMENT' && user === pull.user)
        throw new Refusal(422, 'Unprocessable Entity: Can not approve your own pull request')
      const review: DoubleReview = {
        id: (state.lastId += 1),
        number: pull.number,
        user,
        state: STATES[body.event] ?? 'PENDING',
        body: body.body ?? '',
        commit_id: body.commit_id ?? pull.headSha,
        submitted_at: now(state),
      }
      state.reviews.push(review)
      return ok(reviewJson(review))
    },
  ],
  [
    `put ${R}/pulls/{pull_number}/reviews/{review_id}/dismissals`,
    async (call) => {
      mayWrite(call)
      const review = call.state.reviews.find(({ id }) => id === Number(call.parts[1])) ?? missing()
      review.state = 'DISMISSED'
      return ok(reviewJson(review))
    },
  ],
  [
    `get ${R}/issues/{issue_number}/comments`,
    async (call) => ok(call.state.comments.filter(({ number }) => number === pullOf(call).number).map(commentJson)),
  ],
  [
    `get ${R}/issues/comments`,
    async ({ state, query }) => {
      const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z')
      return ok(state.comments.filter(({ updated_at }) => Date.parse(updated_at) >= since).map(commentJson))
    },
  ],
  [
    `post ${R}/issues/{issue_number}/comments`,
    async (call) => {
      const { state, user, body } = call
      const at = now(state)
      const comment: DoubleComment = {
        id: (state.lastId += 1),
        number: pullOf(call).number,
        user,
        body: body.body,
        reactions: new Set(),
        created_at: at,
        updated_at: at,
      }
      state.comments.push(comment)
      return ok(commentJson(comment), 201)
    },
  ],
  [
    `patch ${R}/issues/comments/{comment_id}`,
    async (call) => {
      const comment = commentOf(call)
      Object.assign(comment, { body: call.body.body, updated_at: now(call.state) })
      return ok(commentJson(comment))
    },
  ],
  [
    `post ${R}/issues/comments/{comment_id}/reactions`,
    async (call) => {
      const { reactions } = commentOf(call)
      const reaction = `${call.body.content} of ${call.user.login}`
      const status = reactions.has(reaction) ? 200 : 201
      reactions.add(reaction)
      return ok({ content: call.body.content, user: userJson(call.user) }, status)
    },
  ],
]
