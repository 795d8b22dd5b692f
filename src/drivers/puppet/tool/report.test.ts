import { expect, test } from 'vitest'
import { plainValue } from '../source/catalog.ts'
import { resourceOf } from '../plan/findings.ts'
import { parseLogs, parseReport, plainChecksum } from './report.ts'
import { placeOf } from './source-error.ts'

/** As Puppet 7.23 writes it, cut down. */
const REPORT = `--- !ruby/object:Puppet::Transaction::Report
host: vm
report_format: 12
puppet_version: 7.23.0
status: unchanged
noop: true
logs:
- !ruby/object:Puppet::Util::Log
  level: notice
  message: current_value '0777', should be '0640' (noop)
  source: "/Stage[main]/Main/File[/srv/a]/mode"
  tags: [notice]
resource_statuses:
  File[/srv/a]: !ruby/object:Puppet::Resource::Status
    title: "/srv/a"
    resource_type: File
    failed: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      property: content
      previous_value: "{sha256}78c03f9e5d691e20c61d416cee2a4cb660da1fe46244801a87e5897972ea1c43"
      desired_value: !binary |-
        e3NoYTI1Nn03MzIzMjJmMzcyNDMwNDJiZTllNWFmMjE0NDFjY2ZlZWQ3NDhmMWNjMmRhY2NlNmE5Y2M4Y2YzMWI0MjA3MDgz
      status: noop
`

test('a report with tags of Ruby is read, whichever way it writes checksums', () => {
  const report = parseReport(REPORT, 'testing')
  const [event] = report.resource_statuses['File[/srv/a]']!.events
  const wanted = '{sha256}732322f37243042be9e5af21441ccfeed748f1cc2dacce6a9cc8cf31b4207083'
  expect(event!.desired_value).toBe(wanted)
  expect(plainChecksum(Buffer.from(wanted).toString('base64'))).toBe(wanted)
  expect(plainChecksum('bm90IGEgY2hlY2tzdW0gYXQgYWxs')).toBe('bm90IGEgY2hlY2tzdW0gYXQgYWxs')
  expect(() => parseReport('a: b', 'testing')).toThrow(expect.objectContaining({ code: 'TOOL_OUTPUT' }) as Error)
})

test('logs that were cut off are read as far as they go, without the noise of Facter', () => {
  const line = '{"level":"err","message":"m","source":"Puppet"}'
  const noise = '{"level":"err","message":"Permission denied","source":"Facter"}'
  expect(parseLogs(`[\n${noise}\n,\n${line}\n`)).toHaveLength(1)
  expect(parseLogs(`[\n${line}\n]`)).toHaveLength(1)
  expect(parseLogs('')).toEqual([])
})

test('the resource of a log line is found behind its containers', () => {
  expect(resourceOf('/Stage[main]/Main/File[/srv/a]/mode')).toBe('File[/srv/a]')
  expect(resourceOf('/Stage[main]/Nginx::Config/File[/etc/nginx/x.conf]')).toBe('File[/etc/nginx/x.conf]')
  expect(resourceOf('/Stage[main]/Main/Nginx::Site[a]/File[/etc/b]/content')).toBe('File[/etc/b]')
  expect(resourceOf('/Stage[main]/Main/Exec[a [b] c]/returns')).toBe('Exec[a [b] c]')
  expect(resourceOf('Class[Main]')).toBeNull()
  expect(resourceOf('Puppet')).toBeNull()
})

test('the place of an error is taken out of its words', () => {
  const message =
    "no parameter named 'contnt' (file: /w/stack/site.pp, line: 2) on File[/tmp/x] (file: /w/stack/site.pp, line: 2)"
  const found = placeOf({ message }, (path) => path.replace('/w/', ''))
  expect(found).toMatchObject({ file: 'stack/site.pp', line: 2 })
})

test('text that Ruby takes for binary is text again', () => {
  expect(plainValue({ __ptype: 'Binary', __pvalue: Buffer.from('grüße\n').toString('base64') })).toBe('grüße\n')
  const image = { __ptype: 'Binary', __pvalue: Buffer.from([0xff, 0xfe]).toString('base64') }
  expect(plainValue([image, { a: 1 }])).toEqual([
    expect.stringMatching(/^sha256:[0-9a-f]{64} \(\d+ bytes\)$/),
    { a: 1 },
  ])
})
