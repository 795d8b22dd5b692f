import { text } from 'node:stream/consumers'
import type { CommandModule } from '../cli.ts'
import { findConnection } from '../settings.ts'

/**
 * A git credential helper (gitcredentials(7)): answers `get` for the server that this CLI is logged in to, with the
 * token as password, and nothing for any other address. `store` and `erase` are not its business.
 */
export const gitCredentialCommand: CommandModule = (program, cli) => {
  program
    .command('git-credential')
    .description('credential helper for git: gives it the token of this CLI')
    .argument('<operation>', 'get, store or erase; git says which')
    .addHelpText(
      'after',
      "\nExample:\n  $ git config --global credential.https://trueup.example.org.helper '!trueup git-credential'",
    )
    .action(async (operation: string, _options, command) => {
      if (operation !== 'get') return
      const asked = new Map(
        (await text(cli.stdin)).split('\n').flatMap((line) => {
          const at = line.indexOf('=')
          return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
        }),
      )
      if (!asked.has('protocol') || !asked.has('host')) return
      const origin = `${asked.get('protocol')}://${asked.get('host')}`
      const connection = findConnection(cli.env, { url: command.optsWithGlobals().url ?? origin })
      const meant = new URL(connection.url).origin === (URL.canParse(origin) ? new URL(origin).origin : '')
      // TRUEUP_TOKEN belongs to the server that other commands would send it to: git may ask about any host.
      const foreign = connection.source === 'environment' && !sameOrigin(findConnection(cli.env).url, origin)
      if (!meant || foreign || connection.token === null) return
      cli.streams.out.write(`username=trueup\npassword=${connection.token}\n`)
    })
}

const sameOrigin = (a: string, b: string): boolean =>
  URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin
