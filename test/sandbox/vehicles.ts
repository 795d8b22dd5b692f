import { dirname } from 'node:path'
import type { Driver } from '../../src/drivers/driver.ts'
import type { SourceFile } from '../../src/drivers/testing/context.ts'
import { findTool } from '../tools.ts'
import type { Way, World } from './world.ts'

/** One plan with as many ways to run code as a driver has; each is a vehicle for every aim. */
export interface HostileStack {
  name: string
  /** Programs without which it is left out. */
  needs: readonly string[]
  vehicles: readonly string[]
  plan(world: World, sandboxed: boolean): Promise<void>
}

interface Parts<Config> {
  name: string
  needs?: readonly string[]
  files: { [path: string]: SourceFile }
  /** Files that name the directory everything is in. */
  placed?: Way['placed']
  config: Config | ((root: string) => Config)
  vehicles: readonly string[]
  way?: Partial<Way>
  /** Directories to put first on PATH. */
  path?: readonly string[]
}

export function hostile<Config>(driver: Driver<Config>, parts: Parts<Config>): HostileStack {
  const { name, needs = [], files, placed, config, vehicles, way, path = [] } = parts
  const directories = [...path, ...needs.flatMap(toolDirectory)]
  const env = { PATH: [...directories, process.env.PATH ?? ''].join(':') }
  return {
    name,
    needs,
    vehicles,
    plan: (world, sandboxed) =>
      world.plan(
        driver,
        { config, files, env },
        { sandboxed, vehicles, read: directories, ...(placed && { placed }), ...way },
      ),
  }
}

/** The shell words by which a vehicle does everything it is after; from the stack's directory, or another below the root. */
export const attack = (vehicle: string, root = '..'): string => `/usr/bin/python3 ${root}/attack.py ${vehicle}`

export const script = (content: string): SourceFile => ({ content: `#!/bin/sh\n${content}\n`, mode: 0o755 })

function toolDirectory(name: string): string[] {
  const tool = findTool(name)
  return tool === null ? [] : [dirname(tool.path)]
}
