// Made from docs/api/openapi.json by `npm run generate`. Do not edit.
export interface components { schemas: {
  RoleInput: "reader" | "contributor" | "maintainer" | "deployer" | "admin"
  RunKindInput: "preview" | "deploy" | "drift" | "heal" | "destroy"
  RunStateInput: "queued" | "leased" | "preparing" | "planning" | "awaiting_approval" | "applying" | "verifying" | "succeeded" | "failed" | "canceled" | "superseded" | "blocked" | "lost"
  RetentionInput: { /** logs of runs */ "logs": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** plans and results of previews and drift checks */ "plans": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** previews themselves */ "previews": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** drift checks themselves */ "checks": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** versions of Terraform states; the current one stays */ "states": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** audit events in the database; then they leave for an archive */ "audit": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null } }
  StackStateInput: "new" | "in_sync" | "partly_checked" | "pending" | "deploying" | "awaiting_approval" | "drifted" | "failed" | "blocked" | "unreachable" | "orphaned"
  Role: "reader" | "contributor" | "maintainer" | "deployer" | "admin"
  RunKind: "preview" | "deploy" | "drift" | "heal" | "destroy"
  RunState: "queued" | "leased" | "preparing" | "planning" | "awaiting_approval" | "applying" | "verifying" | "succeeded" | "failed" | "canceled" | "superseded" | "blocked" | "lost"
  ErrorBody: { "code": string; "doing": string; "why": string; "next": string; "details"?: Record<string, unknown> }
  PlanSummary: { "create": number; "update": number; "delete": number; "replace": number; "other": number; /** things that were looked at */ "checked"?: number; /** things that were not */ "unchecked"?: number }
  Plan: { "digest": string; "desiredDigest": string; "summary": components['schemas']['PlanSummary']; "changes": ({ "address": string; "type": string; "actions": ("create" | "update" | "delete" | "replace" | "read" | "import" | "forget" | "none")[]; "attributes": ({ "path": string; "before"?: unknown; "after"?: unknown; "sensitive"?: boolean; "shown"?: string; "unknown"?: boolean; "by"?: { "how": "manager" | "owner"; "who": string; "at"?: number }; "unstable"?: boolean })[]; "cause": "config" | "input" | "drift"; "reason"?: string; "previousAddress"?: string; "importId"?: string; "by"?: { "how": "manager" | "owner"; "who": string; "at"?: number } })[]; "outputs": Record<string, { "value": unknown; "sensitive": boolean; "unknown"?: boolean }>; "coverage": { "checked": number; "unchecked": ({ "address": string; "why": string; "unreachable"?: boolean; "failed"?: boolean; "count"?: number; "folded"?: string })[] }; "findings": ({ "severity": "info" | "warning" | "error"; "code"?: string; "message": string; "path"?: string; "line"?: number })[]; "toolVersions": Record<string, string> }
  RunSummary: { "id": string; "kind": components['schemas']['RunKind']; "state": components['schemas']['RunState']; "reason": string | null; "message": string | null; "repository": string; /** environment/name */ "stack": string; "stackId": string; "commit": string; /** number of the merge request */ "mr": number | null; "mergeSequence": number | null; "planDigest": string | null; "summary": components['schemas']['PlanSummary'] | null; "provisional": boolean; "attempt": number; "retryOf": string | null; "notBefore": number | null; "worker": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; "startedAt": number | null; "finishedAt": number | null; /** later checks of the clock that said exactly the same */ "repeats": number; /** when the last of them ended */ "repeatedAt": number | null }
  Run: { "id": string; "kind": components['schemas']['RunKind']; "state": components['schemas']['RunState']; "reason": string | null; "message": string | null; "repository": string; /** environment/name */ "stack": string; "stackId": string; "commit": string; /** number of the merge request */ "mr": number | null; "mergeSequence": number | null; "planDigest": string | null; "summary": components['schemas']['PlanSummary'] | null; "provisional": boolean; "attempt": number; "retryOf": string | null; "notBefore": number | null; "worker": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; "startedAt": number | null; "finishedAt": number | null; /** later checks of the clock that said exactly the same */ "repeats": number; /** when the last of them ended */ "repeatedAt": number | null; "error": components['schemas']['ErrorBody'] | null; "plan": components['schemas']['Plan'] | null; "approvedDigest": string | null; "approvedBy": string | null; "differences": (string)[]; "checks": ({ "name": string; "ok": boolean; "exitCode": number | null; "output": string; "durationMs": number })[]; "verify": ({ "name": string; "ok": boolean; "exitCode": number | null; "output": string; "durationMs": number })[]; "resources": ({ "address": string; "actions": ("create" | "update" | "delete" | "replace" | "read" | "import" | "forget" | "none")[]; "message"?: string; "state": "done" | "failed" | "skipped" })[]; "dependsOn": (string)[]; "cancelRequestedAt": number | null; "logSize": number; "request": { "targets": (string)[]; "replaces": (string)[]; "state"?: { "do": "move"; "from": string; "to": string } | { "do": "remove"; "addresses": (string)[] } } | null }
  RunLog: { "text": string; /** from which offset on the text was written when */ "times": ({ "offset": number; /** milliseconds since 1970-01-01T00:00:00Z */ "at": number })[]; /** where to read on */ "next": number; /** the run has ended, and this was the rest */ "done": boolean }
  AuditEvent: { "seq": number; /** milliseconds since 1970-01-01T00:00:00Z */ "at": number; "actor": string; "actorName": string | null; "action": string; "subject": string; "repositoryId": string | null; "data": unknown; "previousHash": string; "hash": string }
  AuditVerdict: { "ok": boolean; "count": number; "checkpoints": number; "firstBad"?: { "seq": number; "kind": "missing" | "forked" | "changed" | "checkpoint" | "head" | "kept" | "reseal"; "why": string; "at": number | null; "after": number | null }; "breaks": ({ "seq": number; "kind": "missing" | "forked" | "changed" | "checkpoint" | "head" | "kept" | "reseal"; "why": string; "at": number | null; "after": number | null })[]; "total": number; "reseals": ({ "seq": number; "at": number; "actor": string; "actorName": string | null; "reason": string; "breaks": ({ "seq": number; "kind": "missing" | "forked" | "changed" | "checkpoint" | "head" | "kept" | "reseal"; "why": string; "at": number | null; "after": number | null })[]; "total": number })[]; "archived": { "through": number; "parts": number } | null }
  AuditArchives: { "keyId": string; "publicKey": string; "archives": ({ "fromSeq": number; "through": number; "previousHash": string; "hash": string; "count": number; "firstAt": number; "lastAt": number; "at": number; "file": string; "keyId": string; "signature": string })[] }
  Worker: { "id": string; "name": string; "kind": "runner" | "agent"; "pools": (string)[]; "repositories": (string)[]; "environments": (string)[]; "builtin": boolean; "connected": boolean; "key": { "id": string; /** milliseconds since 1970-01-01T00:00:00Z */ "since": number; "formerUntil": number | null; "askedAt": number | null }; "info": unknown; "tools": Record<string, string> | null; "clockSkewMs": number | null; "draining": boolean; "runs": ({ "id": string; "repository": string; "stack": string; "kind": components['schemas']['RunKind']; "state": components['schemas']['RunState']; "startedAt": number | null })[]; "otherRuns": number; "lastSeenAt": number | null; "revokedAt": number | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  WorkerLog: { "worker": string; "entries": (Record<string, unknown>)[] }
  Queue: { "pool": string; "waiting": number; "oldestAt": number | null; "running": number; "workers": number; "enrolled": boolean }
  Enrolment: { "id": string; "token": string; "pools": (string)[]; "repositories": (string)[]; "environments": (string)[]; /** milliseconds since 1970-01-01T00:00:00Z */ "expiresAt": number }
  ServerInfo: { "version": string; "url": string; /** milliseconds since 1970-01-01T00:00:00Z */ "startedAt": number; "workersConnected": number; "signingKey": string | null }
  User: { "id": string; "name": string; "email": string; "kind": "admin" | "member"; "disabledAt": number | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  Team: { "id": string; "name": string; "members": (string)[]; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  Member: { "user": string; "userId": string; "role": components['schemas']['Role'] }
  Token: { "id": string; "name": string; "user": string; "scopes": (string)[]; "expiresAt": number | null; "lastUsedAt": number | null; "revokedAt": number | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  CreatedToken: { "token": string; "info": components['schemas']['Token'] }
  LoginLink: { "url": string; "user": string; /** milliseconds since 1970-01-01T00:00:00Z */ "expiresAt": number }
  Session: { "user": components['schemas']['User']; "token": { "id": string; "scopes": (string)[] }; /** actions beside those of repositories */ "may": (string)[] }
  Connection: { "url": string; "account": string; "lookedAt": number | null; "lookEveryMs": number; "problem": components['schemas']['ErrorBody'] | null; "webhook": boolean; "webhookProblem": string | null; "requests": { "left": number; "limit": number; "resetAt": number | null } | null }
  Repository: { "id": string; "name": string; "forge": "builtin" | "gitea" | "gitlab"; "defaultBranch": string; "gitUrl": string; "role": components['schemas']['Role'] | null; "damage": string | null; "connection": components['schemas']['Connection'] | null; /** actions that this token may do here */ "may": (string)[]; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  Retention: { /** logs of runs */ "logs": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** plans and results of previews and drift checks */ "plans": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** previews themselves */ "previews": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** drift checks themselves */ "checks": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** versions of Terraform states; the current one stays */ "states": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null }; /** audit events in the database; then they leave for an archive */ "audit": { /** days after its end; null: whatever its age */ "days": number | null; /** how many of the newest; null: however many */ "count": number | null } }
  DatabaseSize: { "bytes": number; /** bytes of it that are used next */ "free": number; /** whether free bytes are given back to the disk while the server runs */ "shrinks": boolean; "tables": ({ "table": string; "bytes": number })[]; "retention": components['schemas']['Retention'] }
  Pruned: { "dryRun": boolean; "previews": number; "checks": number; /** runs that lost their plan, and stay */ "plans": number; /** runs that lost their log, and stay */ "logs": number; /** versions of Terraform states */ "states": number; /** events that left for an archive */ "audit": number }
  DriftState: "open" | "healed" | "codified" | "accepted" | "gone"
  DriftRecord: { "id": string; /** environment/name */ "stack": string; "stackId": string; "address": string; /** empty for a whole resource */ "attribute": string; "expected": unknown; "actual": unknown; /** what a heal would do */ "actions": ("create" | "update" | "delete" | "replace" | "read" | "import" | "forget" | "none")[]; "state": components['schemas']['DriftState']; /** milliseconds since 1970-01-01T00:00:00Z */ "since": number; /** milliseconds since 1970-01-01T00:00:00Z */ "lastSeenAt": number; "closedAt": number | null; /** the last time that it was known to be as it should be: it changed after that */ "rightUntil": number | null; /** whom the target itself names: a Kubernetes field manager, the owner of a file; null where it does not */ "changedBy": { "how": "manager" | "owner"; "who": string; "at"?: number } | null; "healCount": number; /** until null: without end */ "accepted": { "by": string | null; "reason": string; "until": number | null } | null; /** the check that saw it last */ "run": string }
  StackState: "new" | "in_sync" | "partly_checked" | "pending" | "deploying" | "awaiting_approval" | "drifted" | "failed" | "blocked" | "unreachable" | "orphaned"
  Quarantine: { "id": string; "stack": string; "stackId": string; "commit": string; "reason": string; /** the rollback that has put it; closing that unmerged lifts it */ "mr": number | null; "by": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; "liftedAt": number | null }
  Stack: { "id": string; "repository": string; "environment": string; "name": string; "path": string; "driver": string; /** owners (`@ada`, `@team/payments`) and labels (`tier=web`) */ "facets": (string)[]; /** what the last look was made with: `tofu@1.12.6` */ "tools": (string)[]; "state": components['schemas']['StackState']; "stateReason": string | null; "desired": { "commit": string | null; /** of the source; equal where what is deployed is what Git says */ "digest": string | null }; "deployed": { "commit": string | null; /** of the source; equal where what is deployed is what Git says */ "digest": string | null; "at": number | null }; "observed": { "at": number | null; "checked": number | null; /** how many things the last look did not see */ "uncheckedCount": number | null; /** the first hundred of them */ "unchecked": ({ "address": string; "why": string; "unreachable"?: boolean; "failed"?: boolean; "count"?: number; "folded"?: string })[] }; "drift": { "mode": "observe" | "propose" | "enforce"; "nextCheckAt": number | null; "open": number }; "needs": (string)[]; /** why nothing deploys or heals the state that it is in; null where nothing is in the way */ "quarantined": components['schemas']['Quarantine'] | null; /** run that left it half applied */ "brokenBy": string | null }
  MatrixRow: { "name": string; "cells": ({ "id": string; "environment": string; "state": components['schemas']['StackState']; "stateReason": string | null; "observedAt": number | null; "deployedAt": number | null; "nextDriftAt": number | null; "driver": string; "path": string; /** owners (`@ada`, `@team/payments`) and labels (`tier=web`) */ "facets": (string)[]; /** what the last look was made with: `tofu@1.12.6` */ "tools": (string)[] })[] }
  Delivery: { "days": ({ /** milliseconds since 1970-01-01T00:00:00Z */ "day": number; "deployed": number; "failed": number; "heals": number; /** median of the day in milliseconds; null: there was none */ "leadMs": number | null; /** median of the day in milliseconds; null: there was none */ "restoreMs": number | null; /** median of the day in milliseconds; null: there was none */ "driftMs": number | null })[]; /** a day had so many that its last are left out */ "partial": boolean }
  Deployment: { "id": string; "stack": string; "stackId": string; "run": string; "mr": number | null; "kind": "deploy" | "heal" | "destroy"; "state": "succeeded" | "failed"; "commit": string; "previousCommit": string | null; "summary": components['schemas']['PlanSummary']; "actor": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "finishedAt": number }
  StackDetail: { "id": string; "repository": string; "environment": string; "name": string; "path": string; "driver": string; /** owners (`@ada`, `@team/payments`) and labels (`tier=web`) */ "facets": (string)[]; /** what the last look was made with: `tofu@1.12.6` */ "tools": (string)[]; "state": components['schemas']['StackState']; "stateReason": string | null; "desired": { "commit": string | null; /** of the source; equal where what is deployed is what Git says */ "digest": string | null }; "deployed": { "commit": string | null; /** of the source; equal where what is deployed is what Git says */ "digest": string | null; "at": number | null }; "observed": { "at": number | null; "checked": number | null; /** how many things the last look did not see */ "uncheckedCount": number | null; /** the first hundred of them */ "unchecked": ({ "address": string; "why": string; "unreachable"?: boolean; "failed"?: boolean; "count"?: number; "folded"?: string })[] }; "drift": { "mode": "observe" | "propose" | "enforce"; "nextCheckAt": number | null; "open": number }; "needs": (string)[]; /** why nothing deploys or heals the state that it is in; null where nothing is in the way */ "quarantined": components['schemas']['Quarantine'] | null; /** run that left it half applied */ "brokenBy": string | null; "allows": { /** its plans show the lines around secrets, masked */ "showSecretDiff": boolean; /** addresses that it may take from other stacks */ "takeOver": (string)[] }; "outputs": Record<string, { "value": unknown; "sensitive": boolean }>; /** all its states that were rolled back */ "quarantine": (components['schemas']['Quarantine'])[]; "recentDrift": (components['schemas']['DriftRecord'])[]; "recentDeployments": (components['schemas']['Deployment'])[]; "proposals": ({ "mr": number; "origin": string; "title": string })[] }
  Freeze: { "id": string; "environment": string; "reason": string; "by": string; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; /** null: until it is lifted */ "until": number | null; "liftedAt": number | null }
  Notice: { "id": string; "environment": string; "kind": "incident" | "maintenance" | "info"; "text": string; "by": string; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; /** null: until it is withdrawn */ "until": number | null; "withdrawnAt": number | null }
  DeployWindow: { "open": boolean; /** why it is closed */ "reason": string | null; /** when `open` changes by itself; null: never */ "nextChangeAt": number | null }
  Environment: { "name": string; "tier": "development" | "staging" | "production"; /** nothing unapproved is applied here */ "protected": boolean; "approvals": { "required": number; /** team:NAME or user:NAME; anyone with the right to where empty */ "from": (string)[]; "codeOwners": boolean; "rollback": "none" | "one" | "same" }; "windows": ({ "allow"?: string; "deny"?: string; "timezone"?: string })[]; "onFailure": "stop" | "rollback"; "unplannable": "block" | "allow"; "trust": "contributors" | "maintainers" | "approved"; "drift": { "mode": "observe" | "propose" | "enforce"; "intervalMs": number; "maxDestroys": number | null }; /** pool of the workers that execute its runs */ "workers": string; "deployments": components['schemas']['DeployWindow']; "freezes": (components['schemas']['Freeze'])[]; /** what people are to know of it; they stop nothing */ "notices": (components['schemas']['Notice'])[] }
  Overview: { "repository": string; "stacks": number; "environments": ({ "name": string; "stacks": number; "states": ({ "state": components['schemas']['StackState']; "count": number })[]; "deployments": components['schemas']['DeployWindow'] | null; "notices": (components['schemas']['Notice'])[] })[] }
  SourceFile: { "path": string; /** where the source branch stands now; to be sent with a change */ "head": string; "content": string }
  Committed: { /** where the source branch stands now */ "commit": string }
  Suggestion: { /** first line that it replaces, in the file as it was commented */ "line": number; "before": string; "after": string }
  MergeRequestSummary: { "number": number; "id": string; "repository": string; "title": string; "state": "open" | "merging" | "merged" | "closed"; "draft": boolean; "author": string; "sourceBranch": string; "targetBranch": string; "head": string; /** rollback or codify where Trueup made it */ "origin": string | null; "mergeCommit": string | null; "mergeSequence": number | null; "bypassReason": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; /** milliseconds since 1970-01-01T00:00:00Z */ "updatedAt": number }
  Review: { "id": string; "user": string; "verdict": "approve" | "request_changes" | "comment"; "body": string; "head": string; "digests": Record<string, string>; "droppedAt": number | null; "droppedReason": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  Comment: { "id": string; "threadId": string; /** null: Trueup itself */ "author": string | null; "body": string; "path": string | null; "line": number | null; "side": "old" | "new" | null; /** changes of lines that it proposes, which `apply` commits */ "suggestions": (components['schemas']['Suggestion'])[]; "resolvedBy": string | null; "resolvedAt": number | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; /** milliseconds since 1970-01-01T00:00:00Z */ "updatedAt": number }
  MergeRequest: { "number": number; "id": string; "repository": string; "title": string; "state": "open" | "merging" | "merged" | "closed"; "draft": boolean; "author": string; "sourceBranch": string; "targetBranch": string; "head": string; /** rollback or codify where Trueup made it */ "origin": string | null; "mergeCommit": string | null; "mergeSequence": number | null; "bypassReason": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number; /** milliseconds since 1970-01-01T00:00:00Z */ "updatedAt": number; "description": string; "conflicts": (string)[]; "problems": (components['schemas']['ErrorBody'])[]; "planned": boolean; "mergeable": boolean; "requirements": ({ "name": string; "environment": string | null; "satisfied": boolean; "blocking": boolean; "message": string; "next": string | null })[]; "stacks": ({ "stack": string; "how": "added" | "changed" | "removed" | "dependant"; "driver": string; "run": string | null; "state": components['schemas']['RunState'] | null; "digest": string | null; "summary": components['schemas']['PlanSummary'] | null; "provisional": boolean; "note": string | null; "policies": ({ "name": string; "outcome": string; "message": string })[] })[]; /** what an approval given now binds to, by stack */ "digests": Record<string, string>; /** digest of the files with code owners, to which an approval by them binds; null where there are none */ "files": string | null; /** who has a part in it, and so does not approve it */ "makers": ({ "user": string; "how": "author" | "pushed" | "named"; /** of those who are only named in commits: these */ "commits": (string)[] })[]; /** standing ones: what this rollback has put, or what its own stacks would bring back */ "quarantine": (components['schemas']['Quarantine'])[]; "statuses": ({ "environment": string; "state": "pending" | "success" | "failure"; "description": string })[]; "reviews": (components['schemas']['Review'])[]; "mergedBy": string | null; "mergedAt": number | null; "enacted": boolean }
  FileDiff: { "path": string; "oldPath": string; "status": string; "binary": boolean; "additions": number; "deletions": number; "hunks": string; "truncated": boolean }
  Commit: { "oid": string; "author": { "name": string; "email": string; /** milliseconds since 1970-01-01T00:00:00Z */ "at": number }; "message": string }
  StackResources: { /** worst first; those that something has happened to */ "items": ({ "address": string; "health": "failed" | "drifted" | "unchecked" | "ok" | "unknown"; /** what is the matter with it; null where nothing is */ "why": string | null; /** what did the last thing to it */ "run": string | null })[]; /** how many are left out of the list because they are too many */ "more": number; /** how many the last look has seen, named here or not */ "checked": number | null }
  ManagedPlace: { /** kind and place: files:default:/etc/nginx */ "address": string; "stack": string; "stackId": string; "driver": string; /** when a run has claimed it last */ "since": number }
  StateVersion: { "version": number; "serial": number; "lineage": string; "md5": string; "run": string | null; "actor": string | null; /** milliseconds since 1970-01-01T00:00:00Z */ "createdAt": number }
  StateInfo: { "stack": string; "workspace": string; "lock": Record<string, unknown> | null; "versions": (components['schemas']['StateVersion'])[] }
  StateObjects: { "stack": string; "workspace": string; "version": number | null; "objects": ({ "address": string; "type": string; "provider": string; "note": string | null; /** resources that it depends on, without keys of instances */ "needs": (string)[] })[] }
  StateDiff: { "stack": string; "workspace": string; "from": number; "to": number; "differences": ({ "address": string; "change": "added" | "removed" | "changed"; "attributes": (string)[] })[] }
  Variable: { "id": string; "name": string; "environment": string | null; /** name of the stack in its environment */ "stack": string | null; "phase": "both" | "plan" | "apply"; /** masked in logs */ "secret": boolean; "version": number; "updatedBy": string; /** milliseconds since 1970-01-01T00:00:00Z */ "updatedAt": number }
} }
export interface paths {
  "/healthz": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "status": string } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/readyz": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "status": string } } }; 503: { content: { 'application/json': { "status": string } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/metrics": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/version": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "version": string } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/server": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['ServerInfo'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/session": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "password": string; "device"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['CreatedToken'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Session'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    delete: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/session/password": {
    put: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "current"?: string; "password": string } } }; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/session/browser": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "password": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Session'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/session/redeem": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "code": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Session'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/session/links": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "user"?: string } | null } }; responses: { 201: { content: { 'application/json': components['schemas']['LoginLink'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/users": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['User'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "email": string; "password"?: string; "kind"?: "admin" | "member" } } }; responses: { 201: { content: { 'application/json': components['schemas']['User'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/users/{user}": {
    get: { parameters: { path: { "user": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['User'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    patch: { parameters: { path: { "user": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "email"?: string; "password"?: string; "kind"?: "admin" | "member"; "disabled"?: boolean } } }; responses: { 200: { content: { 'application/json': components['schemas']['User'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/teams": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Team'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "members"?: (string)[] } } }; responses: { 201: { content: { 'application/json': components['schemas']['Team'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/teams/{team}/members/{user}": {
    put: { parameters: { path: { "team": string; "user": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Team'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    delete: { parameters: { path: { "team": string; "user": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Team'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/tokens": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string; "user"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Token'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "scopes": (string)[]; "expiresInMs"?: number; "user"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['CreatedToken'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/tokens/{token}": {
    delete: { parameters: { path: { "token": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Repository'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "defaultBranch"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Repository'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}": {
    get: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Repository'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/connections": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "forge"?: "gitea" | "gitlab"; "url": string; "token": string; "name"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Repository'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/connection/token": {
    put: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "token": string } } }; responses: { 200: { content: { 'application/json': components['schemas']['Repository'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/connection/look": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Repository'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/connection": {
    delete: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "repository": components['schemas']['Repository']; "webhookLeft": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/members": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Member'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/members/{user}": {
    put: { parameters: { path: { "repository": string; "user": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "role": components['schemas']['RoleInput'] } } }; responses: { 200: { content: { 'application/json': components['schemas']['Member'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    delete: { parameters: { path: { "repository": string; "user": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "state"?: "open" | "merged" | "closed" | "all" }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['MergeRequestSummary'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "sourceBranch": string; "targetBranch"?: string; "title": string; "description"?: string; "draft"?: boolean } } }; responses: { 201: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}": {
    get: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    patch: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "title"?: string; "description"?: string; "draft"?: boolean } } }; responses: { 200: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/reviews": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "verdict": "approve" | "request_changes" | "comment"; "body"?: string; /** the head that was looked at, 7 hex digits of it or more; an approval has to say it */ "head"?: string; /** the digests that were looked at; an approval has to say them */ "digests"?: Record<string, string>; /** as the merge request showed it */ "files"?: string | null } } }; responses: { 201: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/reviews/mine": {
    delete: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/merge": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: { "bypass"?: string }; header?: never }; requestBody: { content: { 'application/json': { "squash"?: boolean; "bypassReason"?: string } } }; responses: { 200: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/close": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/reopen": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/plan": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 202: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/commits": {
    get: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Commit'])[] } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** the head that was looked at: all of its hex digits, or the first 7 and more */ "head": string; /** says which files change where empty */ "message"?: string; "files": ({ "path": string; /** the whole new text; null removes the file */ "content": string | null })[] } } }; responses: { 201: { content: { 'application/json': components['schemas']['Committed'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/diff": {
    get: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['FileDiff'])[] } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/comments": {
    get: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Comment'])[] } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "body": string; "threadId"?: string; "path"?: string; "line"?: number; "side"?: "old" | "new"; /** the head that was looked at: all of its hex digits, or the first 7 and more */ "head"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Comment'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/comments/{thread}/resolved": {
    put: { parameters: { path: { "repository": string; "number": number; "thread": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "resolved": boolean } } }; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/file": {
    get: { parameters: { path: { "repository": string; "number": number }; query: { "path": string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['SourceFile'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/comments/{comment}/apply": {
    post: { parameters: { path: { "repository": string; "number": number; "comment": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** which one of the comment, from 0 */ "suggestion"?: number; /** the head that was looked at: all of its hex digits, or the first 7 and more */ "head"?: string } } }; responses: { 201: { content: { 'application/json': components['schemas']['Committed'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/merge-requests/{number}/lifts": {
    post: { parameters: { path: { "repository": string; "number": number }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "user": string; "reason": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/overview": {
    get: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Overview'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/matrix": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "q"?: string; "driver"?: string; "owner"?: string; "label"?: string; "tool"?: string; "environment"?: string; "state"?: components['schemas']['StackStateInput']; "sort"?: "need" | "name" }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['MatrixRow'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/delivery": {
    get: { parameters: { path: { "repository": string }; query?: { "days"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Delivery'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Environment'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments/{environment}": {
    get: { parameters: { path: { "repository": string; "environment": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Environment'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments/{environment}/freezes": {
    post: { parameters: { path: { "repository": string; "environment": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "reason": string; "until"?: number | null } } }; responses: { 201: { content: { 'application/json': components['schemas']['Freeze'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments/{environment}/freezes/{freeze}": {
    delete: { parameters: { path: { "repository": string; "environment": string; "freeze": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Freeze'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments/{environment}/notices": {
    post: { parameters: { path: { "repository": string; "environment": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "kind"?: "incident" | "maintenance" | "info"; "text": string; "until"?: number | null } } }; responses: { 201: { content: { 'application/json': components['schemas']['Notice'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/environments/{environment}/notices/{notice}": {
    delete: { parameters: { path: { "repository": string; "environment": string; "notice": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Notice'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/stacks": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "q"?: string; "driver"?: string; "owner"?: string; "label"?: string; "tool"?: string; "environment"?: string; "state"?: components['schemas']['StackStateInput'] }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Stack'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/stack": {
    get: { parameters: { path: { "repository": string }; query: { "stack": string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['StackDetail'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/deployments": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "stack"?: string; "mr"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Deployment'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/rollbacks": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "target": { "what": "stack"; "stack": string; "to"?: string } | { "what": "environment"; "environment": string; "to"?: string } | { "what": "deployment"; "deployment": string }; "reason": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['MergeRequest'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/resources": {
    get: { parameters: { path: { "repository": string }; query: { "stack": string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['StackResources'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/places": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "environment"?: string; "stack"?: string; "q"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['ManagedPlace'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/stack/removal": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string; "how": "destroy" | "forget"; "reason": string } } }; responses: { 200: { content: { 'application/json': { /** the destroy run, which waits for approval */ "run": components['schemas']['RunSummary'] | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/quarantine": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "stack"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Quarantine'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/quarantine/{entry}/lift": {
    post: { parameters: { path: { "repository": string; "entry": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "reason": string } } }; responses: { 200: { content: { 'application/json': components['schemas']['Quarantine'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/stack/requests": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string; "request": { "targets"?: (string)[]; "replaces"?: (string)[]; "state"?: { "do": "move"; "from": string; "to": string } | { "do": "remove"; "addresses": (string)[] } }; "reason": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['RunSummary'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/drift": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "stack"?: string; "environment"?: string; "state"?: "open" | "healed" | "codified" | "accepted" | "gone" | "all" }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['DriftRecord'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/drift/checks": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['RunSummary'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/drift/heals": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['RunSummary'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/drift/codifications": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string } } }; responses: { 201: { content: { 'application/json': components['schemas']['RunSummary'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/drift/{record}/accept": {
    post: { parameters: { path: { "repository": string; "record": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "reason": string; "until"?: number | null } } }; responses: { 200: { content: { 'application/json': components['schemas']['DriftRecord'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/variables": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Variable'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    put: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "name": string; "environment"?: string | null; /** name of the stack in its environment */ "stack"?: string | null; "phase"?: "both" | "plan" | "apply"; "secret"?: boolean; "value": string } } }; responses: { 200: { content: { 'application/json': components['schemas']['Variable'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/variables/{variable}": {
    delete: { parameters: { path: { "repository": string; "variable": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/state": {
    get: { parameters: { path: { "repository": string }; query: { "stack": string; "workspace"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['StateInfo'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/state/objects": {
    get: { parameters: { path: { "repository": string }; query: { "stack": string; "workspace"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['StateObjects'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/state/diff": {
    get: { parameters: { path: { "repository": string }; query: { "stack": string; "workspace"?: string; "from"?: number; "to"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['StateDiff'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/state/restore": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string; "workspace"?: string; "version": number } } }; responses: { 200: { content: { 'application/json': { "version": number; "serial": number } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/state/unlock": {
    post: { parameters: { path: { "repository": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { /** environment/name */ "stack": string; "workspace"?: string; "lockId": string; "reason": string } } }; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/runs": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "stackId"?: string; "mr"?: number; "kind"?: components['schemas']['RunKindInput']; "state"?: components['schemas']['RunStateInput'] }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['RunSummary'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/runs/{run}": {
    get: { parameters: { path: { "run": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Run'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/runs/{run}/log": {
    get: { parameters: { path: { "run": string }; query?: { "offset"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['RunLog'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/runs/{run}/approve": {
    post: { parameters: { path: { "run": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "digest": string; "reason"?: string } } }; responses: { 200: { content: { 'application/json': components['schemas']['Run'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/runs/{run}/cancel": {
    post: { parameters: { path: { "run": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "reason"?: string } } }; responses: { 200: { content: { 'application/json': components['schemas']['Run'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/runs/{run}/retry": {
    post: { parameters: { path: { "run": string }; query?: never; header?: never }; requestBody?: never; responses: { 201: { content: { 'application/json': components['schemas']['Run'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/events": {
    get: { parameters: { path?: never; query?: { "topics"?: string; "repository"?: string }; header?: { "last-event-id"?: string } }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/audit": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string; "actor"?: string; "action"?: string; "subject"?: string; "from"?: number; "until"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['AuditEvent'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/repositories/{repository}/audit": {
    get: { parameters: { path: { "repository": string }; query?: { "limit"?: number; "cursor"?: string; "actor"?: string; "action"?: string; "subject"?: string; "from"?: number; "until"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['AuditEvent'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/audit/verify": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "kept"?: { "seq": number; "hash": string } } | null } }; responses: { 200: { content: { 'application/json': components['schemas']['AuditVerdict'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/audit/archives": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['AuditArchives'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/audit/reseal": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "reason": string } } }; responses: { 200: { content: { 'application/json': components['schemas']['AuditVerdict'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/audit/export": {
    get: { parameters: { path?: never; query?: { "from"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers": {
    get: { parameters: { path?: never; query?: { "limit"?: number; "cursor"?: string }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Worker'])[]; "next": string | null } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/queues": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "items": (components['schemas']['Queue'])[] } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/enrolments": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "pools"?: (string)[]; "repositories"?: (string)[]; "environments"?: (string)[]; "expiresInMs"?: number } } }; responses: { 201: { content: { 'application/json': components['schemas']['Enrolment'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/{worker}/draining": {
    put: { parameters: { path: { "worker": string }; query?: never; header?: never }; requestBody: { content: { 'application/json': { "draining": boolean } } }; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/{worker}/rotation": {
    post: { parameters: { path: { "worker": string }; query?: never; header?: never }; requestBody?: never; responses: { 202: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/{worker}": {
    delete: { parameters: { path: { "worker": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "ok": true } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    get: { parameters: { path: { "worker": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['Worker'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/workers/{worker}/logs": {
    get: { parameters: { path: { "worker": string }; query?: { "lines"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['WorkerLog'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/enrol": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "token": string; "name": string; "kind": "runner" | "agent"; "publicKey": { "kty": "OKP"; "crv": "Ed25519"; "x": string } } } }; responses: { 201: { content: { 'application/json': { "workerId": string } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/key": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "publicKey": { "kty": "OKP"; "crv": "Ed25519"; "x": string }; "proof": string } } }; responses: { 200: { content: { 'application/json': { "formerUntil": number } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/call": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "method": string; "params": unknown } } }; responses: { 200: { content: { 'application/json': { "result": unknown } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/events": {
    get: { parameters: { path?: never; query?: { "waitMs"?: number }; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': { "events": ({ "event": "work" } | { "event": "cancel"; "runId": string; "reason": string } | { "event": "replaced"; "runId": string } | { "event": "watches"; "watches": ({ "stack": { "id": string; "repository": string; "environment": string; "name": string; "path": string }; "driver": string; "driverConfig": Record<string, unknown>; "commit": string; "desiredDigest": string; "paths": (string)[]; "inputs": Record<string, { "value": unknown; "sensitive": boolean; "predicted"?: boolean }>; "variables": Record<string, { "value": string; "secret": boolean }>; "formerSecrets"?: (string)[]; "ignore": ({ "address": string; "attribute": string })[]; "keys": { "hash": string; "plan": string } })[]; "of"?: (string)[] } | { "event": "shutdown"; "reason": string } | { "event": "rotateKey" } | { "event": "logs"; "request": string; "lines": number })[] } } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/runs/{runId}/workspace": {
    get: { parameters: { path: { "runId": string }; query: { "fence": number }; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/runs/{runId}/deployed": {
    get: { parameters: { path: { "runId": string }; query: { "fence": number }; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/watches/{stackId}/workspace": {
    get: { parameters: { path: { "stackId": string }; query: { "commit": string }; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/stacks/{stackId}/packs/{commit}": {
    get: { parameters: { path: { "stackId": string; "commit": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/worker/stacks/{stackId}/lineage": {
    get: { parameters: { path: { "stackId": string }; query: { "from": string; "to": string }; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/server/backup": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/server/database": {
    get: { parameters: { path?: never; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: { 'application/json': components['schemas']['DatabaseSize'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/server/database/retention": {
    put: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': components['schemas']['RetentionInput'] } }; responses: { 200: { content: { 'application/json': components['schemas']['Retention'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/server/database/prune": {
    post: { parameters: { path?: never; query?: never; header?: never }; requestBody: { content: { 'application/json': { "dryRun"?: boolean } } }; responses: { 200: { content: { 'application/json': components['schemas']['Pruned'] } }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
  "/api/v1/state/{stackId}/{workspace}": {
    get: { parameters: { path: { "stackId": string; "workspace": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    post: { parameters: { path: { "stackId": string; "workspace": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
    delete: { parameters: { path: { "stackId": string; "workspace": string }; query?: never; header?: never }; requestBody?: never; responses: { 200: { content: never }; default: { content: { 'application/json': components['schemas']['ErrorBody'] } } } }
  }
}
