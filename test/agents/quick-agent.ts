/**
 * `trueup agent --config FILE`, which goes on alone after as many milliseconds without its server as its last argument says:
 * nobody wants less than half a minute but a test.
 */
import { readAgentConfig } from '../../src/worker/agent/config.ts'
import { agentWay } from '../../src/worker/agent/source.ts'
import { runInForeground } from '../../src/worker/foreground.ts'
import { createLogger } from '../../src/worker/logging.ts'

const [config = '', aloneAfterMs] = process.argv.slice(2)
const settings = { ...readAgentConfig(config), aloneAfterMs: Number(aloneAfterMs) }
await runInForeground(settings.options, createLogger(), agentWay(settings))
process.exit()
