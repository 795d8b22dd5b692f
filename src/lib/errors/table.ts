/**
 * Every error a user can meet, in one place. `status` is the HTTP status, `exit` the CLI's exit code
 * (1 = it did not work; 2 is reserved for "there are changes"), `retry` says whether the same call may work later.
 * `hint` is the next action when the thrower has none more precise.
 */
export interface ErrorEntry {
  status: number
  exit: number
  retry: 'terminal' | 'retryable'
  hint: string
}

const entry = (status: number, retry: ErrorEntry['retry'], hint: string): ErrorEntry => ({
  status,
  exit: 1,
  retry,
  hint,
})

export const ERRORS = {
  // general
  INTERNAL: entry(500, 'retryable', 'This is a fault of Trueup: report it with the server log around this time.'),
  INVALID_REQUEST: entry(400, 'terminal', 'Correct the named field and send the request again.'),
  UNAUTHENTICATED: entry(401, 'terminal', 'Set TRUEUP_TOKEN, or run `trueup login`.'),
  SECOND_FACTOR_REQUIRED: entry(401, 'terminal', 'Send the code that your app shows, or a recovery code.'),
  SECOND_FACTOR_WRONG: entry(401, 'terminal', 'Wait for the next code of the app, or use a recovery code.'),
  SECOND_FACTOR_MISSING: entry(403, 'terminal', 'Set one up: `trueup second-factor enrol`, or in the browser.'),
  STEP_UP_REQUIRED: entry(
    403,
    'terminal',
    'Prove it, then do it again: `trueup second-factor prove`, or in the browser.',
  ),
  FORBIDDEN: entry(403, 'terminal', 'Ask an administrator for the role that the message names.'),
  NOT_FOUND: entry(404, 'terminal', 'List what exists and use one of its names.'),
  CONFLICT: entry(409, 'terminal', 'Look at the current state and decide again.'),
  IDEMPOTENCY_MISMATCH: entry(422, 'terminal', 'Use a new Idempotency-Key for a different request.'),
  TOO_LARGE: entry(413, 'terminal', 'Send less, or in parts; docs/operations.md lists the limits.'),
  TIMED_OUT: entry(504, 'retryable', 'Try again; raise the time-out when the work really takes longer.'),
  CANCELED: entry(409, 'terminal', 'Start it again when it is wanted.'),
  TOO_MANY_REQUESTS: entry(429, 'retryable', 'Wait as long as the answer says, then try again.'),
  UNAVAILABLE: entry(503, 'retryable', 'Wait a moment and try again.'),
  // configuration
  CONFIG_SYNTAX: entry(422, 'terminal', 'Correct the YAML at the named line.'),
  CONFIG_INVALID: entry(422, 'terminal', 'Correct the named key; `trueup validate` checks it locally.'),
  CONFIG_MISSING: entry(422, 'terminal', 'Add a trueup.yaml at the root; `trueup init` writes one.'),
  CONFIG_CYCLE: entry(422, 'terminal', 'Break the cycle by removing one of the named `needs` or `inputs`.'),
  CONFIG_LIMIT: entry(422, 'terminal', 'Make the file smaller or split the repository.'),
  PATH_OUTSIDE: entry(422, 'terminal', 'Use a path inside the repository.'),
  PLACE_TAKEN: entry(409, 'terminal', 'Give one of the two stacks another target, or remove the other stack first.'),
  // store
  DATA_LOCKED: entry(503, 'terminal', 'Stop the process that the message names, or use another --data directory.'),
  DATABASE_UNREACHABLE: entry(
    503,
    'retryable',
    'Check the address of the database and the network; it is asked again by itself.',
  ),
  DATA_UNWRITABLE: entry(503, 'terminal', 'Make the data directory writable and free space on its disk.'),
  NO_ROOM: entry(
    507,
    'retryable',
    'Free space (or raise the quota) where the message says; what waits for it goes on then.',
  ),
  DATA_NEWER: entry(503, 'terminal', 'Start a Trueup at least as new as the one that wrote this data directory.'),
  DATA_CORRUPT: entry(500, 'terminal', 'Restore the last backup with `trueup restore`.'),
  PORT_TAKEN: entry(503, 'terminal', 'Stop what listens there, or choose another port with --port.'),
  RUN_TRANSITION: entry(409, 'terminal', 'Look at the run: its state has moved on.'),
  CLOCK_SKEWED: entry(
    401,
    'retryable',
    "Set the clock of the worker's host (`timedatectl`, `chronyc tracking`); the worker keeps trying.",
  ),
  REQUEST_REPLAYED: entry(
    401,
    'retryable',
    'Sign the request anew. If no proxy repeats requests, find out who sent it again.',
  ),
  PROTOCOL_MISMATCH: entry(426, 'terminal', 'Upgrade the older one of worker and server.'),
  METHOD_UNKNOWN: entry(400, 'terminal', 'Upgrade the older one of worker and server, if this is wanted.'),
  LEASE_LOST: entry(409, 'terminal', 'Stop this work: another worker may have the run.'),
  // git and forge
  GIT_FAILED: entry(502, 'retryable', 'Look at what git said and try again.'),
  GIT_OBJECT_MISSING: entry(404, 'terminal', 'Push the missing commit, or name one that exists.'),
  REPOSITORY_UNUSABLE: entry(
    503,
    'terminal',
    'Stop the server and run `trueup doctor --repair`; what that cannot mend comes back by `trueup restore`.',
  ),
  FORGE_CANNOT: entry(409, 'terminal', 'Do it in a way that the message names, or on the forge itself.'),
  FORK_HELD: entry(
    403,
    'terminal',
    'A maintainer reads the change on the forge, and then writes `/trueup plan` there; a new head asks again.',
  ),
  FORGE_TOKEN: entry(502, 'terminal', 'Make a new token on the forge, and give it by `trueup repo rotate`.'),
  FORGE_PERMISSION: entry(502, 'terminal', "Give the token's account the permission that the message names."),
  FORGE_GONE: entry(
    502,
    'terminal',
    'Look on the forge whether it was removed, or is hidden from the account of the token.',
  ),
  FORGE_REFUSED: entry(502, 'terminal', 'Do what the forge says; its own page shows the rule.'),
  FORGE_UNREACHABLE: entry(
    502,
    'retryable',
    'Check the address of the forge and the network; it is asked again by itself.',
  ),
  FORGE_ANSWER: entry(502, 'terminal', 'Check the version of the forge: it answers in a way Trueup does not know.'),
  BRANCH_PROTECTED: entry(403, 'terminal', 'Push a branch and open a merge request.'),
  MR_CONFLICT: entry(409, 'terminal', 'Merge the target branch into yours, resolve the conflicts and push.'),
  MR_BLOCKED: entry(409, 'terminal', 'Meet the named requirements, then merge again.'),
  ROLLBACK_OPEN: entry(409, 'terminal', 'Go on with the rollback that the message names, or close it first.'),
  MR_MOVED: entry(409, 'retryable', 'The branch moved meanwhile: look again and repeat.'),
  // pipelines without a server
  CI_SHALLOW: entry(
    409,
    'terminal',
    'Clone all of it: `GIT_DEPTH: 0` in GitLab CI, `fetch-depth: 0` for actions/checkout; in a shell `git fetch --unshallow`.',
  ),
  CI_KEY: entry(
    401,
    'terminal',
    'Make a key by `trueup ci key` and give it to the job as the secret variable TRUEUP_CI_KEY; jobs of forks get none.',
  ),
  CI_PUSH: entry(
    502,
    'terminal',
    'Let the job push to refs/trueup/ci/ of its own repository: `contents: write` on GitHub, a token with write_repository in GitLab.',
  ),
  CI_NOT_VOUCHED: entry(
    409,
    'terminal',
    'Run `trueup ci plan` with the key in the pipeline of the merge request before it is merged, or plan and apply by --plan-file.',
  ),
  CI_FORGED: entry(
    403,
    'terminal',
    'Find out who has written that comment. Where the key is another one since, plan the merge request again.',
  ),
  CI_PLAN_CHANGED: entry(
    409,
    'terminal',
    'Look at what differs: run `trueup ci plan --plan-file` on the branch, and apply that file once somebody agrees.',
  ),
  CI_BUSY: entry(503, 'retryable', 'Run the job again when the other pipeline is over, or raise --wait.'),
  CI_LEASE_LOST: entry(409, 'terminal', 'Look at the job that has it now; this one must not go on.'),
  CI_DIVERGED: entry(
    409,
    'terminal',
    'The branch was pushed over. When this history is the right one, remove refs/trueup/ci/head of the repository.',
  ),
  // drivers and worker
  TOOL_MISSING: entry(422, 'terminal', 'Install the tool on the worker, or send the stack to a pool that has it.'),
  TOOL_VERSION: entry(422, 'terminal', 'Install a version that the constraint accepts, or change the constraint.'),
  TOOL_FAILED: entry(422, 'terminal', 'Read the log of the run.'),
  TOOL_OUTPUT: entry(502, 'terminal', 'The tool answered in a way Trueup does not know: check its version.'),
  REMOTE_UNREACHABLE: entry(502, 'retryable', "Check the repository's URL, the network, and the agent's credentials."),
  TARGET_UNREACHABLE: entry(502, 'retryable', 'Check that the target is up and that the worker can reach it.'),
  TARGET_UNSAFE: entry(422, 'terminal', 'Put right what the message names on the host, or name another target.'),
  TARGET_DENIED: entry(403, 'terminal', 'Give the worker the right to do this, or let it run as root.'),
  TARGET_FULL: entry(507, 'retryable', 'Free space (or raise the quota) on the file system that the message names.'),
  SOURCE_INVALID: entry(422, 'terminal', 'Correct the source; the message names file and place.'),
  PLAN_STALE: entry(409, 'retryable', 'Plan again.'),
  PLAN_CHANGED: entry(409, 'terminal', 'Look at the difference and approve the run again.'),
  APPLY_PARTIAL: entry(500, 'terminal', 'Some resources were changed: see the run; deploy a fix or roll back.'),
  VERIFY_FAILED: entry(500, 'terminal', 'The change is applied but its checks fail: fix forward or roll back.'),
  STATE_LOCKED: entry(
    423,
    'retryable',
    'Wait for the holder that the message names, or unlock with `trueup state unlock`.',
  ),
  STATE_CONFLICT: entry(409, 'terminal', 'The state moved on: plan again from the current version.'),
  WORKSPACE_LIMIT: entry(413, 'terminal', 'Make the stack smaller or split it; docs/operations.md lists the limits.'),
  // sandboxes of a worker
  SANDBOX_UNAVAILABLE: entry(
    503,
    'terminal',
    'Install bubblewrap on the worker, or approve the head of the merge request.',
  ),
  SANDBOX_UNFIT: entry(
    403,
    'terminal',
    'Have somebody with no part in it approve the head: it is planned properly then.',
  ),
  LIMIT_MEMORY: entry(422, 'terminal', 'Make the stack need less memory, or raise it: --sandbox-limits memory=MIB.'),
  LIMIT_PROCESSES: entry(422, 'terminal', 'Start fewer at a time, or raise it: --sandbox-limits processes=N.'),
  LIMIT_OPEN_FILES: entry(
    422,
    'terminal',
    'Close files that are done with, or raise it: --sandbox-limits openFiles=N.',
  ),
  LIMIT_FILE_SIZE: entry(422, 'terminal', 'Write smaller files, or raise it: --sandbox-limits fileSize=MIB.'),
  LIMIT_CPU: entry(422, 'terminal', 'Make it do less, or raise it: --sandbox-limits cpu=SECONDS.'),
  LIMIT_DISK: entry(422, 'terminal', 'Write less into the workspace, or raise it: --sandbox-limits disk=MIB.'),
  // what an agent refuses, and an environment that asks for signatures; nothing is planned or applied then
  PACK_INVALID: entry(422, 'terminal', 'Somebody changed objects on the way: look at proxies, caches and the server.'),
  COMMIT_UNSIGNED: entry(
    422,
    'terminal',
    'Have the commit signed by a signer that counts there: `trueup verify COMMIT`.',
  ),
  SIGNATURE_INVALID: entry(422, 'terminal', 'The commit is not what was signed: find out who changed it.'),
  SIGNER_UNKNOWN: entry(
    422,
    'terminal',
    'Add the key to the signers (of trueup.yaml, the server, the agent), or have one of them sign.',
  ),
  SIGNER_EXPIRED: entry(422, 'terminal', 'Sign a newer commit with a key that is valid now.'),
  SIGNER_REVOKED: entry(422, 'terminal', 'Sign a newer commit with a key that is not revoked.'),
  COMMIT_OTHER_REPOSITORY: entry(
    422,
    'terminal',
    'The commit was signed for another repository: find out who sent it.',
  ),
  COMMIT_OTHER_BRANCH: entry(422, 'terminal', "Merge it into the branch that the agent's configuration names."),
  CONTENT_UNSIGNED: entry(
    422,
    'terminal',
    'Rebase the branch onto the target, sign its last commit, and push it again.',
  ),
  COMMIT_OLDER: entry(422, 'terminal', 'Go back by a new signed commit: `trueup rollback` makes one.'),
  AGENT_REFUSES: entry(403, 'terminal', "Change the agent's configuration on its host, if this is to be allowed."),
  SOPS_FAILED: entry(
    422,
    'terminal',
    'Give the worker the key (SOPS_AGE_KEY_FILE), or encrypt for one that it has (`sops updatekeys`).',
  ),
  // people who log in at a provider
  LOGIN_PROVIDER: entry(502, 'retryable', "Check the provider's address, and that this server reaches it."),
  LOGIN_REFUSED: entry(
    401,
    'terminal',
    'Begin the login anew. Where it is refused again, an administrator compares client, address and clock of both sides.',
  ),
  SERVER_UNREACHABLE: entry(503, 'retryable', 'Check TRUEUP_URL and that the server runs (`trueup up`).'),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS
