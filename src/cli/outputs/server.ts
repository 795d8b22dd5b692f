import { z } from 'zod'
import { Done } from '../../server/schemas/common.ts'
import { DatabaseSize, Pruned, Retention } from '../../server/schemas/database.ts'
import { LoginProvider } from '../../server/schemas/login-providers.ts'
import {
  AuditArchives,
  AuditEvent,
  AuditVerdict,
  Enrolment,
  Queue,
  Worker,
  WorkerLog,
} from '../../server/schemas/operations.ts'
import { Can, CreatedToken, LoginLink, Member, Session, Team, Token, User } from '../../server/schemas/people.ts'
import { Issuer, KeySet } from '../../server/schemas/issuer.ts'
import { Disconnected, Repository } from '../../server/schemas/repositories.ts'
import { LoginSession, RevokedSessions } from '../../server/schemas/sessions.ts'
import { RecoveryCodes, SecondFactorRuleBody, SecondFactorState } from '../../server/schemas/second-factor.ts'
import { SignedCommit } from '../../server/schemas/signatures.ts'
import { ExportVerdict } from './local.ts'

const Revoked = z.object({ id: z.string(), revoked: z.literal(true) })

/** What commands print about a server, its repositories, people and workers; by command, without `trueup`. */
export const SERVER_OUTPUTS = {
  login: z.object({ url: z.string(), user: z.string(), file: z.string() }),
  logout: z.object({ url: z.string().nullable() }),
  whoami: z.union([
    Session.extend({ url: z.string(), source: z.enum(['environment', 'login', 'data directory', 'none']) }),
    Can,
  ]),
  password: Done,
  open: LoginLink,
  version: z.object({ trueup: z.string(), node: z.string(), server: z.string().nullable() }),
  'repo create': Repository,
  'repo list': z.array(Repository),
  'repo show': Repository,
  'repo connect': Repository,
  'repo rotate': Repository,
  'repo look': Repository,
  'repo disconnect': Disconnected,
  verify: SignedCommit,
  'member list': z.array(Member),
  'member set': Member,
  'member remove': z.object({ repository: z.string(), user: z.string(), role: z.null() }),
  'user list': z.array(User),
  'user add': User,
  'user update': User,
  'team list': z.array(Team),
  'team create': Team,
  'team add': Team,
  'team remove': Team,
  'sso list': z.array(LoginProvider),
  'sso set': LoginProvider,
  'sso remove': z.object({ name: z.string(), removed: z.literal(true) }),
  'token list': z.array(Token),
  'token create': CreatedToken,
  'token revoke': Revoked,
  'session list': z.array(LoginSession),
  'session revoke': RevokedSessions,
  'second-factor show': SecondFactorState,
  'second-factor enrol': RecoveryCodes,
  'second-factor prove': Done,
  'second-factor codes': RecoveryCodes,
  'second-factor remove': Done,
  'second-factor rule': SecondFactorRuleBody,
  'worker enrol': Enrolment,
  'worker signers': z.object({ principal: z.string(), signingKey: z.string() }),
  'worker list': z.array(Worker),
  'worker queues': z.array(Queue),
  'worker show': Worker,
  'worker logs': WorkerLog.shape.entries,
  'worker drain': z.object({ id: z.string(), draining: z.boolean() }),
  'worker rotate': z.object({ id: z.string(), key: Worker.shape.key, done: z.boolean() }),
  'worker revoke': Revoked,
  'issuer show': Issuer,
  'issuer keys': KeySet,
  'issuer rotate': Issuer,
  'audit list': z.array(AuditEvent),
  'audit verify': z.union([AuditVerdict, ExportVerdict]),
  'audit archives': AuditArchives,
  'audit key': AuditArchives.pick({ keyId: true, publicKey: true }),
  'audit reseal': AuditVerdict,
  'database size': DatabaseSize,
  'database keep': Retention,
  'database prune': Pruned,
  'database move': z.object({
    tables: z.array(z.object({ table: z.string(), rows: z.number(), digest: z.string() })),
    rows: z.number(),
  }),
  'database vacuum': z.object({ data: z.string(), before: z.number(), after: z.number() }),
  'recover-admin': z.object({ file: z.string(), name: z.string() }),
}
