import fc from 'fast-check'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { filesDriver } from '../index.ts'
import { render } from '../../values/template.ts'
import { deploy, type FilesTest, filesTest } from '../testing/stack.ts'

const values = {
  inputs: { port: { value: 80, sensitive: false }, password: { value: 'hunter2', sensitive: true } },
  variables: { ZONE: 'eu' },
}

describe('the language', () => {
  test('inputs and variables are filled in, everything else passes', () => {
    expect(render('listen ${inputs.port}; $host ${host} $${inputs.port} $$1 ${}', values, 'f')).toEqual({
      text: 'listen 80; $host ${host} ${inputs.port} $$1 ${}',
      sensitive: false,
    })
    expect(render('${inputs.password}', values, 'f')).toEqual({ text: 'hunter2', sensitive: true })
    expect(render('${variables.ZONE}', values, 'f')).toEqual({ text: 'eu', sensitive: true })
  })

  test('unknown names are refused with their line', () => {
    expect(() => render('a\nb ${inputs.prot}', values, 'f')).toThrow(
      /f, line 2: there is no input "prot"; there are password, port/,
    )
    expect(() => render('${inputs.constructor}', values, 'f')).toThrow(/no input "constructor"/)
    expect(() => render('${inputs.}', values, 'f')).toThrow(/does not hold a name/)
  })

  test('what is filled in is not looked at again', () => {
    const nested = { inputs: { a: { value: '${inputs.b}', sensitive: false } }, variables: {} }
    expect(render('${inputs.a}', nested, 'f').text).toBe('${inputs.b}')
  })

  test('text without references stays as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('${inputs.') && !text.includes('${variables.'))
        expect(render(text, values, 'f').text).toBe(text)
      }),
    )
  })
})

describe('in a stack', () => {
  let context: FilesTest
  afterEach(() => context.remove())

  test('templates lose their suffix, and what secrets went into stays on the worker', async () => {
    context = await filesTest({
      inputs: values.inputs,
      env: { ZONE: 'eu' },
      files: {
        'stack/a.conf.tmpl': 'port ${inputs.port}\n',
        'stack/b': '${inputs.port}\n',
        'stack/c.tmpl': 'pw ${inputs.password}\n',
      },
      config: { templates: true },
    })
    const { plan } = await deploy(context)
    expect(
      plan.changes.map(({ address, attributes }) => [address.slice(context.target.length), attributes[0]?.after]),
    ).toEqual([
      ['/a.conf', 'port 80\n'],
      ['/b', '${inputs.port}\n'],
      ['/c', expect.stringMatching(/^hmac:/)],
    ])
    expect(await readFile(join(context.target, 'c'), 'utf8')).toBe('pw hunter2\n')
    expect((await filesDriver.plan(await context.next())).changes).toEqual([])
  })

  test('of what secrets went into, only the number of lines is told, or the lines where that is asked', async () => {
    const files = {
      'stack/c.tmpl': 'user x\npw ${inputs.password}\n',
      'stack/key': 'one\ntwo\n',
      'stack/s.tmpl': 'a\n${inputs.password}\n',
    }
    const rules = [
      { match: 'key', mode: '0600' },
      { match: 's', sensitive: true },
    ]
    context = await filesTest({ inputs: values.inputs, files, config: { templates: true, rules } })
    await writeFile(join(context.target, 'c'), 'user y\npw hunter2\n')
    const shown = async (showSecretDiff: boolean) => {
      const { changes } = await filesDriver.plan(await context.next({ showSecretDiff }))
      return changes.map(({ attributes }) => attributes.find(({ path }) => path === 'content')?.shown)
    }
    expect(await shown(false)).toEqual(['2 lines: 1 written, 1 taken away', '2 lines', '2 lines'])
    // The worker masks the secret itself on the way out, as in everything.
    expect(await shown(true)).toEqual(['-user y\n+user x\n pw hunter2', '2 lines', '2 lines'])
  })

  test('a template that cannot be filled in is an error of validate and of plan', async () => {
    context = await filesTest({ files: { 'stack/a.tmpl': 'x\n${inputs.nope}\n' }, config: { templates: true } })
    expect(await filesDriver.validate(context)).toMatchObject([{ severity: 'error', path: 'stack/a.tmpl', line: 2 }])
    await expect(filesDriver.plan(context)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })

  test('a template and a file may not claim one path', async () => {
    context = await filesTest({ files: { 'stack/a': 'x\n', 'stack/a.tmpl': 'x\n' }, config: { templates: true } })
    await expect(filesDriver.plan(context)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })

  test('the target may hold an input that is no secret', async () => {
    context = await filesTest({
      inputs: { ...values.inputs, up: { value: '..', sensitive: false } },
      files: { 'stack/a': 'x\n' },
    })
    const at = (target: string) => context.next({ config: { ...context.config, target } })
    const plan = await filesDriver.plan(await at(`${context.target}/\${inputs.port}`))
    expect(plan.changes.map(({ address }) => address)).toContain(`${context.target}/80/a`)
    for (const bad of ['${inputs.password}', '${inputs.nope}', '${inputs.up}'])
      await expect(filesDriver.plan(await at(`${context.target}/${bad}`))).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
      })
  })
})
