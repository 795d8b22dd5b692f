import type { GitService } from '../../git/repository.ts'
import type { SigningKey } from '../../git/signing-key.ts'
import type { Store } from '../../store/open.ts'

/** What the built-in forge works with. */
export interface BuiltinParts {
  store: Store
  git: GitService
  /** Signs merges; null where there is none. */
  signingKey: SigningKey | null
}
