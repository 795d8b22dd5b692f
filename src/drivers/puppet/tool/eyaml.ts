import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { Host } from '../../hosts/host.ts'
import type { Encrypted } from '../source/eyaml.ts'

/** As eyaml_lookup_key of Puppet does it. Input: `Encrypted` as JSON; output: the texts by token, null where no key fits. */
const RUBY = `
require 'json'
require 'hiera/backend/eyaml/encryptor'
require 'hiera/backend/eyaml/utils'
require 'hiera/backend/eyaml/options'
require 'hiera/backend/eyaml/parser/parser'
asked = JSON.parse(STDIN.read)
parser = Hiera::Backend::Eyaml::Parser::ParserFactory.hiera_backend_parser
texts = asked['tokens'].map do |token|
  text = nil
  asked['options'].each do |options|
    begin
      Hiera::Backend::Eyaml::Options.set(options)
      text = parser.parse(token).map(&:to_plain_text).join
      break
    rescue StandardError
    end
  end
  text
end
puts JSON.generate(texts)
`

/** Packages of Puppet bring a Ruby of their own, which has its gems. Arguments: puppet, the program. */
const WITH_ITS_RUBY = `
case $1 in /opt/puppetlabs/*) ruby=/opt/puppetlabs/puppet/bin/ruby ;; *) ruby=ruby ;; esac
exec "$ruby" -e "$2"
`

export interface Decrypted {
  /** Every text that the host can decrypt, and each of its lines. Masked in the log already. */
  secrets: string[]
  /** That some may be shown; null where none is. */
  finding: Finding | null
}

/**
 * What Puppet on this host will decrypt of the stack's data. A manifest gets it as ordinary text, so that a plan would show
 * it: it is asked for beforehand, of the same library with the same keys.
 */
export async function decrypted(
  context: DriverContext<unknown>,
  host: Host,
  puppet: string,
  encrypted: Encrypted,
): Promise<Decrypted> {
  const { tokens, options } = encrypted
  if (tokens.length === 0 || options.length === 0) return { secrets: [], finding: null }
  const result = await host.run({
    argv: ['sh', '-c', WITH_ITS_RUBY, 'sh', puppet, RUBY],
    input: JSON.stringify(encrypted),
    quiet: true,
  })
  const texts = textsOf(result.stdout)
  // Without the library Puppet decrypts nothing, and says so.
  const absent = /cannot load such file -- hiera\/backend\/eyaml/.test(result.stderr)
  const secrets = [...new Set((texts ?? []).flatMap((text) => [text ?? '', ...(text ?? '').split('\n')]))]
  for (const secret of secrets) if (secret.length >= MIN_LOGGED) context.mask(secret)
  const open = texts === null ? tokens.length : texts.filter((text) => text === null).length
  const mayFit = texts === null ? !absent : options.some((each) => Object.values(each).join().includes('%{'))
  return { secrets, finding: open > 0 && mayFit ? notHidden(open, host) : null }
}

/** What is shorter would hide half of every log. */
const MIN_LOGGED = 4

function textsOf(stdout: string): (string | null)[] | null {
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as (string | null)[]
  } catch {
    return null
  }
}

const notHidden = (count: number, { name }: Host): Finding => ({
  severity: 'warning',
  code: 'eyaml_not_hidden',
  message: `${count} encrypted value${count === 1 ? '' : 's'} of Hiera could not be read${name === '' ? '' : ` on host "${name}"`} before Puppet ran: where Puppet can decrypt them and no manifest wraps them in Sensitive, this plan shows them`,
})
