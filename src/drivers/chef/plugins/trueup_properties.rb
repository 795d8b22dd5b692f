# What a resource declares, read without evaluating anything that Chef has not evaluated: a `lazy` value is not called.
class TrueupProperties
  NAMES = %w[mode owner group to target_file link_type version package_name enabled running command path source
             uid gid home shell comment manage_home line password].freeze
  # Of a sensitive resource.
  SECRET = %w[command source line code content password variables environment env input headers message].freeze
  COMMANDS = %w[execute bash csh ksh perl python ruby script powershell_script batch].freeze

  def initialize(concealed, salt)
    @concealed = concealed
    @salt = salt
    @references = {}.compare_by_identity
    @seen = {}.compare_by_identity
    @aliases = Hash.new(0)
  end

  def type(resource)
    (resource.respond_to?(:declared_type) && resource.declared_type || resource.resource_name).to_s
  end

  # An `execute` without a name has its command as one: where that is sensitive, its place is its name.
  def reference(resource)
    @references[resource] ||= begin
      name = @concealed.utf8(resource.name.to_s)
      if sensitive?(resource) && COMMANDS.include?(type(resource)) && [resource.name, nil].include?(peek(resource, 'command'))
        shown = place(resource)
        @concealed.add(resource.name.to_s, shown)
        name = shown
      end
      "#{type(resource)}[#{name}]"
    end
  end

  def sensitive?(resource)
    return false unless resource.respond_to?(:sensitive)
    evaluator?(resource.instance_variable_get(:@sensitive)) || resource.sensitive ? true : false
  end

  # What declares whether a command is needed; without it, it runs each time.
  def guarded?(resource)
    lazy?(resource, 'creates') || peek(resource, 'creates') || guards?(resource) ? true : false
  end

  def guards?(resource)
    %i[not_if only_if].any? { |name| resource.respond_to?(name) && Array(resource.send(name)).any? }
  end

  # The value that was set, or a default that is no `lazy`; null where only Chef can say.
  def peek(resource, name)
    return nil unless resource.respond_to?(name)
    return nil if lazy?(resource, name)
    resource.send(name)
  rescue StandardError, ScriptError, SystemStackError
    nil
  end

  # A property's value, or what Chef itself got when it evaluated it.
  def seen(resource, name)
    lazy?(resource, name) ? (@seen[resource] || {})[name] : peek(resource, name)
  end

  # From now on what Chef gets for the content is remembered; secrets of the resource are concealed.
  def watch(resource)
    conceal(resource)
    return unless lazy?(resource, 'content') && !@seen.key?(resource)
    values = (@seen[resource] = {})
    secret = sensitive?(resource)
    concealed = @concealed
    resource.define_singleton_method(:content) do |*arguments|
      value = super(*arguments)
      values['content'] = value if arguments.empty? && value.is_a?(String)
      concealed.add(value) if secret
      value
    end
  end

  # A formatter prints a failed resource with all it declares, for which Chef evaluates every `lazy`: where one raises, that
  # error takes the place of the real one and ends the run.
  def say_without_failing(resource, whyrun)
    return unless resource.respond_to?(:to_text)
    resource.define_singleton_method(:to_text) do
      whyrun ? to_s : super()
    rescue StandardError, ScriptError, SystemStackError
      to_s
    end
  end

  # `current` is the resource as it is, `declared` as it should be.
  def state(resource, declared)
    return {} if resource.nil?
    (NAMES | told_as_hashes(declared)).each_with_object({}) do |name, found|
      value = peek(resource, name)
      next if value.nil? || value.is_a?(Proc)
      secret = secret?(declared, name) || !NAMES.include?(name)
      @concealed.add(value) if secret
      found[name] = secret ? redacted(value) : plain(value)
    end
  end

  def redacted(value)
    { 'redacted' => Digest::SHA256.hexdigest("#{@salt}#{value}") }
  end

  private

  def conceal(resource)
    names = sensitive?(resource) ? SECRET : SECRET.select { |name| secret?(resource, name) }
    names.each { |name| @concealed.add(peek(resource, name)) }
  end

  # A password is secret also where nobody said so.
  def secret?(resource, name)
    return true if name == 'password' || (sensitive?(resource) && SECRET.include?(name))
    secret_property?(property(resource, name))
  end

  # Of a custom resource Chef suppresses these in its words.
  def told_as_hashes(resource)
    return [] unless resource.class.respond_to?(:properties)
    all = sensitive?(resource) && resource.class.respond_to?(:state_properties) ? resource.class.state_properties : []
    (all + resource.class.properties.values.select { |each| secret_property?(each) }).map { |each| each.name.to_s }.uniq
  end

  def secret_property?(property)
    property.respond_to?(:sensitive?) && property.sensitive? ? true : false
  end

  def property(resource, name)
    resource.class.respond_to?(:properties) ? resource.class.properties[name.to_sym] : nil
  end

  def lazy?(resource, name)
    return true if evaluator?(resource.instance_variable_get("@#{name}"))
    return false if resource.instance_variable_defined?("@#{name}")
    property = property(resource, name)
    return false if property.nil? || !property.respond_to?(:options) || property.options[:name_property]
    evaluator?(property.options[:default])
  rescue StandardError
    true
  end

  def evaluator?(value)
    defined?(Chef::DelayedEvaluator) && value.is_a?(Chef::DelayedEvaluator) ? true : false
  end

  def place(resource)
    line = resource.source_line.to_s[/:(\d+)/, 1]
    shown = "sensitive, #{resource.cookbook_name}::#{resource.recipe_name}#{" line #{line}" if line}"
    count = (@aliases[shown] += 1)
    count == 1 ? shown : "#{shown} ##{count}"
  end

  def plain(value)
    case value
    when String, Numeric, true, false then value
    when Array then value.map { |each| plain(each) }
    else value.to_s
    end
  end
end
