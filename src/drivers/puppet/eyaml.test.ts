import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../../../test/tools.ts'
import { type TestContext, testContext } from '../testing/context.ts'
import { PuppetConfig } from './config.ts'
import { puppetDriver } from './index.ts'

const PASSWORD = 'correct-horse-battery'
const KEY = `-----BEGIN PRIVATE KEY-----\nnot-a-real-key-but-two-lines\n-----END PRIVATE KEY-----\n`
const OF_OTHERS = 'ENC[PKCS7,MIIBeQYJKoZIhvcNAQcDoIIBajCCAWYCAQAxggEhMIIBHQIBADAFMAACAQEw]'

describeWithTool('eyaml', 'data that hiera-eyaml encrypts', () => {
  let context: TestContext<PuppetConfig>
  afterEach(() => context?.remove())

  /** Keys as `eyaml createkeys` makes them, and a stack that has them in two variables. */
  async function open(level: string): Promise<string> {
    context = await testContext<PuppetConfig>({ config: PuppetConfig.parse({}) })
    const keys = { private: join(context.root, 'private.pem'), public: join(context.root, 'public.pem') }
    const eyaml = (...words: string[]): string =>
      execFileSync('eyaml', [...words, `--pkcs7-private-key=${keys.private}`, `--pkcs7-public-key=${keys.public}`], {
        encoding: 'utf8',
        cwd: context.root,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    eyaml('createkeys')
    // From a file: as an option it would lose all lines but the first.
    const encrypted = (text: string, as: string): string => {
      writeFileSync(join(context.root, 'plain'), text)
      return eyaml('encrypt', '--quiet', '-o', as, '-f', join(context.root, 'plain'))
    }
    Object.assign(context.env, {
      EYAML_PRIVATE_KEY: readFileSync(keys.private, 'utf8'),
      EYAML_PUBLIC_KEY: readFileSync(keys.public, 'utf8'),
    })
    const target = join(context.root, 'target')
    await mkdir(target)
    context.inputs = { target: { value: target, sensitive: false } }
    await context.write({
      'stack/hiera.yaml': `version: 5\ndefaults: { datadir: data }\nhierarchy:\n${level}`,
      'stack/data/common.eyaml':
        `app::port: 8080\napp::password: ${encrypted(PASSWORD, 'string').trim()}\n` +
        `app::key: ${encrypted(KEY, 'block').trimEnd()}\napp::unused: ${OF_OTHERS}\n`,
      'stack/site.pp': 'include app\n',
      'stack/modules/app/manifests/init.pp': `
class app(Integer $port, String $password, String $key) {
  $dir = $facts['trueup']['inputs']['target']
  file { "\${dir}/app.conf": content => "port=\${port}\\n" }
  file { "\${dir}/password": content => "password=\${password}\\n" }
  file { "\${dir}/key": content => $key }
  exec { "/bin/true \${password}": creates => '/nowhere' }
  notify { "the password is \${password}": }
}
`,
    })
    return target
  }
  const NAMES = '{ pkcs7_private_key_env_var: EYAML_PRIVATE_KEY, pkcs7_public_key_env_var: EYAML_PUBLIC_KEY }'
  const level = (options: string): string =>
    `  - { name: secret, lookup_key: eyaml_lookup_key, path: common.eyaml, options: ${options} }\n`

  test('reaches the target and no plan, though no manifest calls it sensitive', { timeout: 240_000 }, async () => {
    const target = await open(level(NAMES))
    const plan = await puppetDriver.plan(context)
    const attributes = plan.changes.flatMap((change) =>
      change.attributes.flatMap(({ path, after, sensitive }) => (path === 'content' ? [{ after, sensitive }] : [])),
    )
    expect(attributes).toContainEqual({ after: 'port=8080\n', sensitive: undefined })
    expect(attributes.filter(({ sensitive }) => sensitive)).toHaveLength(2)
    // What another environment's key decrypts is nothing to warn of: Puppet cannot read it either.
    expect(plan.findings.map(({ code }) => code)).not.toContain('eyaml_not_hidden')
    const result = await puppetDriver.apply(context, plan)
    expect(result.status).toBe('applied')
    expect(plan.changes.map(({ address }) => address)).toContain('Exec[/bin/true ***]')
    expect(result.resources).toContainEqual({ address: 'Exec[/bin/true ***]', actions: ['update'], status: 'done' })
    expect(await readFile(join(target, 'password'), 'utf8')).toBe(`password=${PASSWORD}\n`)
    expect(await readFile(join(target, 'key'), 'utf8')).toBe(KEY.trimEnd())
    const said = JSON.stringify([plan, result, context.lines])
    expect(said).not.toContain(PASSWORD)
    expect(said).not.toContain('two-lines')
  })

  test('is told where its keys are named by what only Puppet knows', { timeout: 240_000 }, async () => {
    await open(level(NAMES.replace('EYAML_PRIVATE_KEY', '"%{facts.key_name}"')))
    Object.assign(context.env, { FACTER_key_name: 'EYAML_PRIVATE_KEY' })
    const { findings } = await puppetDriver.plan(context)
    expect(findings).toContainEqual(expect.objectContaining({ code: 'eyaml_not_hidden' }))
  })
})
