# What `forms.py` says, for tools that are Ruby: the value of this file is a map from form to text.
require 'cgi'
require 'erb'
require 'json'
require 'shellwords'
require 'yaml'

value, key = %w[CANARY CANARY_KEY].map { |name| ENV.fetch(name).dup.force_encoding('UTF-8') }
in_base64 = ->(before) { [('u' * before) + value + ' and more of it'].pack('m0') }
{
  'plain' => value,
  'line' => key.lines(chomp: true)[1],
  'lines' => key,
  'indented' => key.gsub(/^/, '    '),
  'json' => JSON.generate(value),
  'json2' => JSON.generate(JSON.generate('a' => value)),
  'yaml' => { 'a' => value }.to_yaml,
  'url' => ERB::Util.url_encode(value),
  'form' => CGI.escape(value),
  'inspected' => value.inspect,
  'sh' => Shellwords.escape(value),
  'html' => CGI.escapeHTML(value),
  'hex' => value.unpack1('H*'),
  'hex_upper' => value.unpack1('H*').upcase,
  'base64' => in_base64.call(0),
  'base64_1' => in_base64.call(1),
  'base64_2' => in_base64.call(2),
  'base64_60' => [key].pack('m'),
  'base64url' => [value].pack('m0').tr('+/', '-_')
}
