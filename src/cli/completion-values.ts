import type { Command } from 'commander'
import { Environment } from '../server/schemas/environments.ts'
import { MrSummary } from '../server/schemas/merge-requests.ts'
import { User } from '../server/schemas/people.ts'
import { RunSummary } from '../server/schemas/plans.ts'
import { Repository } from '../server/schemas/repositories.ts'
import { Stack } from '../server/schemas/stacks.ts'
import { z } from 'zod'
import type { Cli } from './cli.ts'
import type { ValueKind } from './completion-kinds.ts'
import { collect } from './output.ts'
import { repositoryName, repositoryPath } from './repository.ts'

/** A shell shows no more than a screenful. */
const MANY = 200

/** The names of a kind that there are, for the person and the repository here. */
export async function valuesOf(cli: Cli, command: Command, kind: ValueKind): Promise<string[]> {
  const client = cli.client(command)
  const repository = async (): Promise<string> => repositoryPath(await repositoryName(cli, command))
  switch (kind) {
    case 'local-stack':
      return await localStacks(cli)
    case 'stack':
      return (await collect(client.all(`${await repository()}/stacks`, Stack))).map(
        ({ environment, name }) => `${environment}/${name}`,
      )
    case 'environment':
      return (await collect(client.all(`${await repository()}/environments`, Environment))).map(({ name }) => name)
    case 'mr': {
      const open = await collect(client.all(`${await repository()}/merge-requests`, MrSummary, { state: 'open' }))
      return open.map(({ number }) => String(number))
    }
    case 'run': {
      const page = z.object({ items: z.array(RunSummary) })
      return (await client.get(`${await repository()}/runs`, page, { limit: MANY })).items.map(({ id }) => id)
    }
    case 'repository':
      return (await collect(client.all('/api/v1/repositories', Repository))).map(({ name }) => name)
    case 'user':
      return (await collect(client.all('/api/v1/users', User))).map(({ name }) => name)
  }
}

async function localStacks(cli: Cli): Promise<string[]> {
  const { openWorkingTree } = await import('./local/working-tree.ts')
  const { readStacks } = await import('./local/stacks.ts')
  const { stacks } = await readStacks(await openWorkingTree(cli.cwd))
  return stacks.map(({ definition }) => definition.key)
}
