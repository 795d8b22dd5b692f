import { TrueupError } from '../lib/errors/error.ts'
import { getRepository } from '../store/changes/repositories.ts'
import { builtinForge } from './builtin/index.ts'
import type { BuiltinParts } from './builtin/parts.ts'
import type { Forge, ForgeName } from './forge.ts'
import { giteaAdapter } from './gitea/index.ts'
import { githubAdapter } from './github/index.ts'
import { gitlabAdapter } from './gitlab/index.ts'
import type { RemoteParts } from './remote/connected.ts'
import { type Connections, createConnections } from './remote/connecting.ts'
import { remoteForge } from './remote/forge.ts'
import { type Adapters, createReaches } from './remote/reach.ts'

/** The forges that this server knows. Nothing outside of this folder knows one of them by more than the port. */
export interface Forges {
  /** The forge where the merge requests of a repository live. NOT_FOUND where there is no such repository. */
  of(repositoryId: string): Promise<Forge>
  named(name: ForgeName): Forge
  readonly connections: Connections
}

export type { Found, Place } from './remote/connecting.ts'

export type ForgeParts = BuiltinParts & RemoteParts

const ADAPTERS: Adapters = {
  github: githubAdapter,
  gitlab: gitlabAdapter,
  // Last: it is taken for what is nothing else.
  gitea: giteaAdapter,
}

export function createForges(parts: ForgeParts): Forges {
  const reaches = createReaches(parts, ADAPTERS)
  const all: { readonly [name in ForgeName]: Forge } = {
    builtin: builtinForge(parts),
    gitea: remoteForge(parts, ADAPTERS.gitea, reaches),
    github: remoteForge(parts, ADAPTERS.github, reaches),
    gitlab: remoteForge(parts, ADAPTERS.gitlab, reaches),
  }
  return {
    async of(repositoryId) {
      const repository = await getRepository(parts.store.db, repositoryId)
      if (repository) return all[repository.forge]
      const why = `there is no repository ${repositoryId}`
      throw new TrueupError('NOT_FOUND', { doing: 'asking for the forge of a repository', why })
    },
    named: (name) => all[name],
    connections: createConnections(parts, ADAPTERS, reaches),
  }
}
