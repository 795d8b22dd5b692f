import { join } from 'node:path'
import { z } from 'zod'
import {
  baseEnvironment,
  type Benchmark,
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
} from './harness.ts'
import { startBenchServer } from './server.ts'

/** CPU-seconds: of a list that the server answers, and of a call that needs nothing. */
const AIMS = { status: 0.12, version: 0.06 }

/** What a call of the command line costs the machine that it is typed on. */
export const b13: Benchmark = {
  id: 'B13',
  title: 'one call of the command line (`trueup status` against a server, `trueup --version`), against `node -e 0`',
  aim: `status ≤ ${AIMS.status} CPU-s, --version ≤ ${AIMS.version} CPU-s`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const server = await startBenchServer(options.directory, join(options.directory, 'none'))
  try {
    await server.admin.send('POST', '/api/v1/repositories', z.unknown(), { name: 'bench' })
    const call = (argv: string[]): Contestant => ({
      name: `trueup ${argv.join(' ')}`,
      argv: [process.execPath, LAUNCHER, ...argv],
      env: { ...baseEnvironment(), HOME: options.directory, TRUEUP_URL: server.url, TRUEUP_TOKEN: server.adminToken },
      proof: async ({ exitCode }) => String(exitCode),
    })
    const status = await comparePairs(call(['status']), EMPTY, options)
    const version = await comparePairs(call(['--version']), EMPTY, options)
    const seconds = (runs: readonly { cpuSeconds: number }[]): number =>
      Math.round((runs.map((one) => one.cpuSeconds).sort((a, b) => a - b)[runs.length >> 1] ?? 0) * 1000) / 1000
    const [statusCpu, versionCpu] = [seconds(status.ours), seconds(version.ours)]
    return {
      cpuRatio: Math.round(status.cpu.median * 100) / 100,
      wallRatio: Math.round(status.wall.median * 100) / 100,
      met: statusCpu <= AIMS.status && versionCpu <= AIMS.version,
      pairs: status.pairs,
      details: { statusCpu, versionCpu, versionRatio: Math.round(version.cpu.median * 100) / 100 },
    }
  } finally {
    await server.stop()
  }
}

const LAUNCHER = new URL('../bin/trueup.mjs', import.meta.url).pathname
const EMPTY: Contestant = {
  name: 'node',
  argv: [process.execPath, '-e', '0'],
  proof: async ({ exitCode }) => String(exitCode),
}
