import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { describeWithTool } from '../../test/tools.ts'
import { startPeer, type WorkerPeer } from '../../test/worker-peer/peer.ts'
import { startRunnerProcess, type RunnerProcess } from '../../test/worker-peer/runner-process.ts'
import type { PeerRun } from '../../test/worker-peer/runs.ts'

describeWithTool('terraform', 'a preview whose plan validates', () => {
  let peer: WorkerPeer
  let runner: RunnerProcess
  const dir = mkdtempSync(join(tmpdir(), 'trueup-runner-'))
  beforeAll(async () => {
    peer = await startPeer()
    runner = startRunnerProcess(peer, join(dir, 'data'), ['--workspaces', join(dir, 'ws')])
  })
  afterAll(async () => {
    await runner.end('SIGKILL')
    await peer.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const preview = async (code: string): Promise<PeerRun> => {
    const files = { 'web/main.tf': code }
    const run = peer.add({ kind: 'preview', driver: 'terraform', driverConfig: { tool: 'terraform' } }, { files })
    await vi.waitFor(() => expect(['succeeded', 'failed']).toContain(run.state), { timeout: 180_000, interval: 20 })
    return run
  }

  test.each([
    ['that does not parse', 'resource "terraform_data" {\n', 'main.tf:1'],
    ['that refers to nothing', 'output "o" {\n  value = var.missing\n}\n', 'main.tf:2'],
  ])('says of a source %s where it is wrong', async (_what, code, place) => {
    const run = await preview(code)
    expect(run.finished[0]).toMatchObject({
      status: 'failed',
      error: { code: 'SOURCE_INVALID', why: expect.stringContaining(place) },
    })
    expect(run.plans).toEqual([])
  })

  test('starts no tool to validate a source that can be planned', async () => {
    const run = await preview('resource "terraform_data" "it" {\n  input = 1\n}\n')
    expect(run.plans[0]?.plan.changes).toMatchObject([{ address: 'terraform_data.it', actions: ['create'] }])
    // Validation prepares a directory of its own.
    expect(run.log.match(/Initializing provider plugins/g)).toHaveLength(1)
  })
})
