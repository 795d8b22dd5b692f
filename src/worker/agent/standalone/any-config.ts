import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import type { Way } from '../../runner.ts'
import { type AgentSettings, DEFAULT_DATA, readAgentConfig, readText } from '../config.ts'
import { readStandaloneConfig } from './config.ts'

/** An agent of either kind, as its configuration says. */
export interface AnyAgent {
  agent: AgentSettings
  way(): Promise<Way>
}

/** Reads a configuration: of an agent without a server where it has `git`, or the command line names one. */
export function readAnyConfig(path: string, git?: string): AnyAgent {
  if (git === undefined && !saysGit(path)) {
    const agent = readAgentConfig(path)
    return { agent, way: async () => (await import('../source.ts')).agentWay(agent) }
  }
  const settings = readStandaloneConfig(path, git)
  return { agent: settings.agent, way: async () => (await import('./way.ts')).standaloneWay(settings) }
}

/** The data directory that a configuration names, whatever else it says; the URL may have come by the command line. */
export function dataOf(path: string): string {
  const text = readText(path, `reading where the agent of ${path} keeps its data`)
  const named: unknown = parseDocument(text).get('data')
  return resolve(dirname(resolve(path)), typeof named === 'string' ? named : DEFAULT_DATA)
}

/** What is wrong with the file is for whoever reads it then to say. */
function saysGit(path: string): boolean {
  try {
    return parseDocument(readFileSync(path, 'utf8')).has('git')
  } catch {
    return false
  }
}
