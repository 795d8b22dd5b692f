# What is secret on this host in this run: it leaves it neither in the report nor in what Chef prints.
class TrueupConceal
  SHORTEST = 4
  HIDDEN = '[suppressed]'.freeze

  def initialize
    @secrets = {}
  end

  # Also parts of hashes and lists. Shorter texts would hide half of every line.
  def add(value, instead = HIDDEN)
    case value
    when String
      [value.b, utf8(value).b].each { |each| @secrets[each] ||= instead.b if each.strip.bytesize >= SHORTEST }
    when Hash then value.each_value { |each| add(each, instead) }
    when Array then value.each { |each| add(each, instead) }
    end
  end

  # The longest first: one secret may hold another.
  def text(value)
    return value if @secrets.empty?
    given = value.to_s.b
    @secrets.keys.sort_by { |each| -each.bytesize }.each { |each| given = given.gsub(each) { @secrets[each] } if given.include?(each) }
    given.force_encoding('UTF-8')
  end

  # Valid text, whatever it was.
  def utf8(value)
    value = value.encode('UTF-8', invalid: :replace, undef: :replace) unless [Encoding::UTF_8, Encoding::US_ASCII, Encoding::BINARY].include?(value.encoding)
    value.dup.force_encoding('UTF-8').scrub { |bytes| bytes.bytes.map { |byte| format('\\x%02X', byte) }.join }
  end

  # JSON takes text that is UTF-8 only: other bytes are written as `\xNN`, so that two names stay two.
  def json(value)
    case value
    when String then text(utf8(value))
    when Array then value.map { |each| json(each) }
    when Hash then value.to_h { |key, each| [json(key.to_s), json(each)] }
    when Float then value.finite? ? value : value.to_s
    when Integer, true, false, nil then value
    else json(value.to_s)
    end
  end

  # Everything that is printed from now on; IO hands what it writes to `write`.
  def cover(*outputs)
    concealed = self
    outputs.uniq.each do |output|
      output.define_singleton_method(:write) { |*parts| super(*parts.map { |part| concealed.text(part.to_s) }) }
    end
  end
end
