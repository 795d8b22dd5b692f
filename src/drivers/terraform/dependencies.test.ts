import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ListFiles, ReadFile } from '../driver.ts'
import { TerraformConfig } from './config.ts'
import { terraformDriver } from './index.ts'

type Files = { [path: string]: string }

const reader =
  (files: Files): ReadFile =>
  async (path) =>
    path in files ? Buffer.from(files[path] ?? '') : null
const lister =
  (files: Files): ListFiles =>
  async (directory) =>
    Object.keys(files).filter((path) => directory === '.' || path.startsWith(`${posix.normalize(directory)}/`))
const dependenciesOf = (files: Files, path = 'infra/app', settings: object = {}) =>
  terraformDriver.dependencies(reader(files), lister(files), path, TerraformConfig.parse(settings))

describe('dependencies', () => {
  it('follows local modules through modules, and not into the stack itself', async () => {
    const files = {
      'infra/app/main.tf': 'module "a" {\n source = "../../modules/a"\n}\nmodule "own" {\n source = "./own"\n}',
      'infra/app/own/main.tf': 'module "c" {\n source = "../../../modules/c"\n}',
      'modules/a/main.tf.json': '{"module": {"b": {"source": "../b"}}}',
      'modules/b/main.tf': 'module "remote" {\n source = "git::https://example.org/x.git?ref=v1"\n}',
      'modules/c/main.tf': '',
      'modules/unused/main.tf': '',
    }
    expect(await dependenciesOf(files)).toEqual(['modules/a', 'modules/b', 'modules/c'])
  })

  it('ends for modules that use each other', async () => {
    const files = {
      'infra/app/main.tf': 'module "a" {\n source = "../../modules/a"\n}',
      'modules/a/main.tf': 'module "b" {\n source = "../b"\n}',
      'modules/b/main.tf': 'module "a" {\n source = "../a"\n}',
    }
    expect(await dependenciesOf(files)).toEqual(['modules/a', 'modules/b'])
  })

  it('takes what can be found from broken code, and nothing from comments', async () => {
    const files = {
      'infra/app/broken.tf': 'module "a" {\n source = "../../modules/a"\n',
      'infra/app/fine.tf': '# module "x" { source = "../../modules/x" }\nlocals {\n a = 1\n}',
      'modules/a/main.tf': '',
      'modules/x/main.tf': '',
    }
    expect(await dependenciesOf(files)).toEqual(['modules/a'])
  })

  it('knows the files that the settings and the code name', async () => {
    const files = {
      'infra/app/main.tf':
        'locals {\n a = file("${path.module}/../shared/a.txt")\n b = templatefile("../templates/${var.x}.tpl", {})\n c = "../nothing"\n}',
      'infra/shared/a.txt': '',
      'infra/templates/one.tpl': '',
      'env/prod.tfvars': '',
    }
    expect(await dependenciesOf(files, 'infra/app', { varFiles: ['../../env/prod.tfvars'] })).toEqual([
      'env/prod.tfvars',
      'infra/shared/a.txt',
      'infra/templates',
    ])
  })

  it('refuses a module outside the repository', async () => {
    const files = { 'infra/app/main.tf': 'module "a" {\n source = "../../../elsewhere"\n}' }
    await expect(dependenciesOf(files)).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
    await expect(dependenciesOf({}, 'infra/app', { varFiles: ['../../../x.tfvars'] })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
  })
})

describe('detect', () => {
  const detected = async (files: Files) =>
    (await terraformDriver.detect(Object.keys(files), reader(files))).stacks.map(({ path }) => path)

  it('proposes root modules and not what they use', async () => {
    expect(
      await detected({
        'live/prod/main.tf': 'module "vpc" {\n source = "../../components/vpc"\n}',
        'live/staging/main.tf': 'terraform {\n backend "s3" {}\n}',
        'components/vpc/main.tf': 'resource "aws_vpc" "a" {\n}',
        'modules/unused/main.tf': 'resource "aws_vpc" "a" {\n}',
        'live/prod/outputs/readme.md': '',
      }),
    ).toEqual(['live/prod', 'live/staging'])
  })

  it('proposes the examples of a module repository only because there is nothing else', async () => {
    const shared = {
      'wrappers/simple/main.tf': 'module "wrapped" {\n source = "../../"\n}',
      'main.tf': 'resource "aws_vpc" "a" {\n}',
      'variables.tf': 'variable "x" {\n}',
      'examples/simple/main.tf': 'module "vpc" {\n source = "../../"\n}\nprovider "aws" {\n}',
    }
    expect(await detected(shared)).toEqual(['examples/simple'])
    expect(await detected({ ...shared, 'live/main.tf': 'provider "aws" {\n}' })).toEqual(['live'])
  })

  it('proposes nothing where there is no Terraform', async () => {
    expect(await detected({ 'README.md': '' })).toEqual([])
  })
})
