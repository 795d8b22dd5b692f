import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { LOCK_FILE } from './init.ts'
import { findTerraform } from './tool.ts'

/** The tool's version, and those of the providers as far as the lock file names them. */
export async function versions(context: DriverContext<TerraformConfig>): Promise<{ [tool: string]: string }> {
  const tool = await findTerraform(context)
  return { [tool.name]: tool.version, ...(await providerVersions(context)) }
}

/** `registry host/namespace/name` → selected version. The lock file is written by the tool, always in this form. */
export async function providerVersions(
  context: DriverContext<TerraformConfig>,
): Promise<{ [provider: string]: string }> {
  const text = await readFile(join(context.directory, LOCK_FILE), 'utf8').catch(() => '')
  const entries = text.matchAll(/^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"/gm)
  return Object.fromEntries([...entries].map(([, name = '', version = '']) => [name, version]))
}
