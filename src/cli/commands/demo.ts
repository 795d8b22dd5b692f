import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import type { CommandModule } from '../cli.ts'
import { walkTheLoop } from '../demo/demo.ts'
import { leaveWork } from '../demo/leave-work.ts'
import { createClient } from '../client.ts'
import { LoginLink } from '../../server/schemas/people.ts'
import { startWebBuild } from '../web-build.ts'
import { createSteps } from '../demo/steps.ts'

interface DemoOptions {
  keep: boolean
  kubeconfig?: string
  port: number
  logLevel: 'error' | 'warn' | 'info' | 'debug' | 'silent'
}

/** `trueup demo`: the whole loop on this machine, in a directory of its own, in under a minute. */
export const demoCommand: CommandModule = (program, cli) => {
  program
    .command('demo')
    .description('walk the whole loop on this machine: merge request, plan, approval, deployment, drift, rollback')
    .option('--keep', 'leave the server running afterwards and say how to look around', false)
    .option('--kubeconfig <file>', 'with --keep: add a stack on the cluster of this file, in a namespace "shop"')
    .option('--port <port>', 'port to listen on; 0 takes a free one', Number, 0)
    .addOption(
      new Option('--log-level <level>', 'of the server log on stderr')
        .choices(['error', 'warn', 'info', 'debug', 'silent'])
        .default('error'),
    )
    .action(async (options: DemoOptions, command) => {
      const { startServer } = await import('../../server/start.ts')
      const output = cli.output(command)
      const directory = await mkdtemp(join(tmpdir(), 'trueup-demo-'))
      const dataDir = join(directory, 'data')
      const steps = createSteps(output)
      const web = startWebBuild((line) => output.note(line))
      const started: { server?: Awaited<ReturnType<typeof startServer>> } = {}
      try {
        const server = await steps.step(
          'start Trueup with everything embedded',
          () => startServer({ dataDir, port: options.port, logLevel: options.logLevel }),
          (running) => running.url,
        )
        started.server = server
        const adminToken = (await readFile(server.adminTokenFile ?? '', 'utf8')).trim()
        const hands = await walkTheLoop({ url: server.url, adminToken, directory, signal: cli.signal }, steps)
        if (options.keep) await leaveWork(hands, steps, options.kubeconfig && resolve(options.kubeconfig))
        output.result({ steps: steps.timings, passed: steps.passed }, () => `demo: ${steps.passed} steps passed`)
        if (options.keep) {
          await web.done
          const admin = createClient({ url: server.url, token: adminToken, source: 'environment' })
          const links = await Promise.all(
            ['ada', 'bob'].map((user) => admin.send('POST', '/api/v1/session/links', LoginLink, { user })),
          )
          for (const line of howToLook(server.url, directory, links)) output.note(line)
          await new Promise<void>((done) => {
            if (cli.signal.aborted) done()
            cli.signal.addEventListener('abort', () => done(), { once: true })
          })
        }
      } finally {
        web.stop()
        await started.server?.close()
        await rm(directory, { recursive: true, force: true })
      }
    })
}

function howToLook(url: string, directory: string, links: readonly { user: string; url: string }[]): string[] {
  return [
    '',
    `The server goes on at ${url} until Ctrl-C. In a browser (each link works once, within ten minutes):`,
    ...links.map((link) => `  as ${link.user.padEnd(4)} ${link.url}`),
    '  Two people at a time: the second link in a private window. More: trueup open --user NAME, as below.',
    'In another terminal:',
    `  export TRUEUP_URL=${url} TRUEUP_TOKEN=$(cat ${directory}/data/admin.token)`,
    '  npm run trueup -- open --user bob',
    '  npm run trueup -- status --repo shop',
    '  npm run trueup -- mr list --state all --repo shop',
    '  npm run trueup -- deployments --repo shop',
    'Open merge requests wait for bob: approve one, let ada merge it, edit a file of it, suggest a change.',
    `Edit a file below ${directory}/srv/web and look at it again.`,
  ]
}
