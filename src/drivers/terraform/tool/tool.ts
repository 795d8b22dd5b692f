import { z } from 'zod'
import type { DriverContext } from '../../driver.ts'
import { findTool, type Tool, type ToolRequest } from '../../tools/find-tool.ts'
import type { TerraformConfig } from '../config.ts'

type Name = 'terraform' | 'tofu'
/** The program that plans and applies. */
export type TerraformTool = Tool<Name>

const TERRAFORM = 'Terraform (https://developer.hashicorp.com/terraform/install)'
const TOFU = 'OpenTofu (https://opentofu.org/docs/intro/install)'
const VersionAnswer = z.object({ terraform_version: z.string() })

/** Finds Terraform or OpenTofu, as `tool:` wants. Throws as `findTool` of drivers/tools does. */
export function findTerraform(context: DriverContext<TerraformConfig>): Promise<TerraformTool> {
  const { tool } = context.config
  return findTool<Name>(context, {
    names: tool === 'auto' ? ['terraform', 'tofu'] : [tool],
    install: tool === 'auto' ? 'Terraform or OpenTofu' : tool === 'tofu' ? TOFU : TERRAFORM,
    ...ASKED,
  })
}

const ASKED: Pick<ToolRequest, 'versionArguments' | 'env' | 'readVersion'> = {
  versionArguments: ['version', '-json'],
  env: { CHECKPOINT_DISABLE: '1' },
  readVersion: (stdout) => VersionAnswer.safeParse(parseJson(stdout)).data?.terraform_version ?? null,
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
