import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the test provider says it comes from; `.test` never resolves. */
export const PROVIDER_SOURCE = 'example.test/trueup-test/hostfile'
export const PROVIDER_VERSION = '0.1.0'

/** The block that makes `hostfile_file` usable, for the head of a test's code; `root` is where its files are written. */
export const useProvider = (root: string): string => `terraform {
  required_providers {
    hostfile = {
      source  = "${PROVIDER_SOURCE}"
      version = "${PROVIDER_VERSION}"
    }
  }
}
provider "hostfile" {
  root = ${JSON.stringify(root)}
}
`

/** Environment under which Terraform finds the provider and talks to it. */
export const providerEnvironment = (mirror: string): { [name: string]: string } => ({
  TF_PLUGIN_MIRROR: mirror,
  TF_DISABLE_PLUGIN_TLS: '1',
})

/** Makes a filesystem mirror that holds the test provider: a two-line shell script that starts it on this Node. */
export async function makeMirror(directory: string): Promise<void> {
  const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`
  const home = join(directory, PROVIDER_SOURCE, PROVIDER_VERSION, platform)
  const program = fileURLToPath(new URL('provider.ts', import.meta.url))
  const script = join(home, `terraform-provider-hostfile_v${PROVIDER_VERSION}`)
  await mkdir(home, { recursive: true })
  await writeFile(script, `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${program}'\n`)
  await chmod(script, 0o755)
}
