import { join } from 'node:path'
import { program, type Said } from './program.ts'

const PUPPET = (target: string): string => `
corpus_forms().each |$form, $text| {
  file { "${target}/\${form}":
    content => "[puppet:content:\${form}] \${text}",
  }
  file { "${target}/\${form}.link":
    ensure => link,
    target => "[puppet:target:\${form}] \${text}",
  }
  notify { "[puppet:notify:\${form}] \${text}": }
  warning("[puppet:warning:\${form}] \${text}")
  exec { "say \${form}":
    command     => 'echo "$SAID"; exit 1',
    environment => ["SAID=[puppet:exec:\${form}] \${text}"],
    provider    => shell,
    logoutput   => on_failure,
  }
}
`
const PUPPET_FAILS = `fail(corpus_forms().map |$form, $text| { "[puppet:fail:\${form}] \${text}" }.join("\\n"))\n`

const CHEF_FORMS = `forms = eval(File.read(File.join(File.dirname(__FILE__), 'forms.txt'), encoding: 'UTF-8'))\n`
const CHEF = (target: string): string => `${CHEF_FORMS}
forms.each do |form, text|
  puts "[chef:stdout:#{form}] #{text}"
  file "${target}/#{form}" do
    content "[chef:content:#{form}] #{text}"
  end
  link "${target}/#{form}.link" do
    to "[chef:to:#{form}] #{text}"
  end
end
ruby_block 'tells' do
  block { raise forms.map { |form, text| "[chef:raised:#{form}] #{text}" }.join("\\n") }
end
`
const CHEF_FAILS = `${CHEF_FORMS}raise forms.map { |form, text| "[chef:compile:#{form}] #{text}" }.join("\\n")\n`

/** A stack of Puppet and one of Chef that say the secret wherever they can, or fail over it before they have begun. */
export async function hostStacks(targets: string, fails: boolean): Promise<Said[]> {
  const forms = await program('forms.rb')
  const functions = 'modules/corpus/lib/puppet/functions'
  const recipes = 'cookbooks/corpus/recipes'
  return [
    {
      name: 'puppet',
      driver: 'puppet',
      with: { lint: false },
      files: {
        'site.pp': fails ? PUPPET_FAILS : PUPPET(join(targets, 'puppet')),
        [`${functions}/corpus_forms.rb`]: await program('corpus_forms.rb'),
        [`${functions}/forms.txt`]: forms,
      },
    },
    {
      name: 'chef',
      driver: 'chef',
      with: { runList: ['recipe[corpus]'] },
      files: {
        'cookbooks/corpus/metadata.rb': "name 'corpus'\nversion '1.0.0'\n",
        [`${recipes}/default.rb`]: fails ? CHEF_FAILS : CHEF(join(targets, 'chef')),
        [`${recipes}/forms.txt`]: forms,
      },
    },
  ]
}
