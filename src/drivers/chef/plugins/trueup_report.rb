# Trueup's witness of a Chef run. It listens to the events of the run (Chef::EventDispatch, which formatters use too) and
# writes what became of each resource as JSON. What is `sensitive` is redacted here, on the host: Chef's own JSON report
# handler writes it in clear. Loaded by the client.rb that Trueup makes for each run; needs nothing but Ruby's own library.
require 'json'
require 'digest'
require 'chef/event_dispatch/base'

class TrueupReport < Chef::EventDispatch::Base
  LIMIT = 256 * 1024
  FILES = %w[file template cookbook_file remote_file].freeze
  PROPERTIES = %w[mode owner group to target_file link_type version package_name enabled running command path source
                  uid gid home shell comment manage_home line].freeze

  # `ignored` are properties by resource that Trueup's ignore rules cover: they are taken away before Chef looks at them.
  def initialize(path, salt, ignored = {})
    super()
    @path = path
    @salt = salt
    @ignored = ignored
    @resources = []
    @assumptions = []
    @open = nil
  end

  def run_start(version, *_rest)
    @version = version.to_s
  end

  def recipe_file_load_failed(path, exception, *_rest)
    @failed_file = path.to_s
    @failure = exception
  end

  def recipe_not_found(exception)
    @failure = exception
  end

  def cookbook_resolution_failed(_list, exception)
    @failure = exception
  end

  def run_list_expand_failed(_node, exception)
    @failure = exception
  end

  %i[library attribute lwrp definition].each do |kind|
    define_method(:"#{kind}_file_load_failed") do |path, exception|
      @failed_file = path.to_s
      @failure = exception
    end
  end

  def converge_start(_context)
    @converging = true
    write
  end

  def resource_action_start(resource, action, notification_type = nil, notifier = nil)
    @stack ||= []
    (@ignored[reference(resource)] || []).each { |name| resource.reset_property(name.to_sym) }
    @stack.push(entry(resource, action, notifier))
    @resources << @stack.last
  end

  def resource_current_state_loaded(resource, _action, current)
    at(resource)['before'] = state(current, resource)
    at(resource)['content'] = content(current, resource) if file?(resource)
  end

  def resource_current_state_load_bypassed(resource, _action, _current)
    at(resource)['bypassed'] = true
  end

  def resource_bypassed(resource, _action, _provider)
    at(resource)['bypassed'] = true
  end

  def resource_update_applied(resource, _action, update)
    lines = Array(update).flatten.compact.map(&:to_s)
    at(resource)['updates'].concat(sensitive?(resource) ? lines.map { |line| line.start_with?('-', '+', '@', ' ') ? nil : line }.compact : lines)
    at(resource)['status'] = 'updated'
  end

  def resource_updated(resource, _action)
    at(resource)['status'] = 'updated'
    at(resource)['after'] = state(resource, resource)
  end

  def resource_up_to_date(resource, _action)
    at(resource)['status'] = 'up_to_date' unless at(resource)['status'] == 'updated'
  end

  def resource_skipped(resource, action, conditional)
    why = action.to_s == 'nothing' ? 'action :nothing' : guard(conditional)
    at(resource).merge!('status' => 'skipped', 'why' => why)
  end

  def resource_failed(resource, _action, exception)
    message = sensitive?(resource) ? exception.class.name : "#{exception.class}: #{exception.message}"
    at(resource).merge!('status' => 'failed', 'error' => message)
  end

  def whyrun_assumption(_action, resource, message)
    Array(message).flatten.each { |line| @assumptions << { 'resource' => reference(resource), 'message' => line.to_s } }
  end

  def resource_completed(_resource)
    done = (@stack || []).pop
    write if done && done['status'] == 'updated'
  end

  def run_completed(*_rest)
    @success = true
    write
  end

  def run_failed(exception, *_rest)
    @failure ||= exception
    write
  end

  private

  def entry(resource, action, notifier)
    {
      'resource' => reference(resource), 'type' => type(resource), 'name' => resource.name.to_s, 'action' => action.to_s,
      'depth' => @stack.length, 'status' => 'unprocessed', 'updates' => [], 'sensitive' => sensitive?(resource),
      'cookbook' => resource.cookbook_name.to_s, 'recipe' => resource.recipe_name.to_s,
      'source_line' => resource.source_line.to_s, 'wanted' => state(resource, resource), 'guarded' => guarded?(resource),
      'guards' => guards?(resource), 'wanted_content' => wanted_content(resource),
      'notified_by' => notifier && reference(notifier)
    }
  end

  def at(resource)
    wanted = reference(resource)
    (@stack || []).reverse.find { |each| each['resource'] == wanted } || @resources.last || {}
  end

  def type(resource)
    (resource.respond_to?(:declared_type) && resource.declared_type || resource.resource_name).to_s
  end

  def reference(resource)
    "#{type(resource)}[#{resource.name}]"
  end

  def file?(resource)
    FILES.include?(type(resource)) || resource.respond_to?(:final_checksum)
  end

  def sensitive?(resource)
    resource.respond_to?(:sensitive) && resource.sensitive ? true : false
  end

  # What declares whether a command is needed; without it, it runs each time.
  def guarded?(resource)
    creates = resource.respond_to?(:creates) && resource.creates
    creates || guards?(resource) ? true : false
  end

  def guards?(resource)
    %i[not_if only_if].any? { |name| resource.respond_to?(name) && Array(resource.send(name)).any? }
  end

  def guard(conditional)
    return 'a guard' if conditional.nil?
    conditional.respond_to?(:positivity) ? conditional.positivity.to_s : conditional.to_s
  end

  def state(resource, declared)
    return {} if resource.nil?
    PROPERTIES.each_with_object({}) do |name, found|
      next unless resource.respond_to?(name)
      value = begin
        resource.send(name)
      rescue StandardError
        nil
      end
      next if value.nil? || value.is_a?(Proc)
      found[name] = secret?(declared, name) ? redacted(value) : plain(value)
    end
  end

  def secret?(resource, name)
    sensitive?(resource) && %w[command source line].include?(name)
  end

  def content(current, declared)
    path = declared.respond_to?(:path) && declared.path ? declared.path.to_s : declared.name.to_s
    return nil unless current && File.file?(path)
    text = File.binread(path, LIMIT + 1)
    return nil if text.nil? || text.bytesize > LIMIT
    text = text.dup.force_encoding('UTF-8')
    return nil unless text.valid_encoding?
    sensitive?(declared) ? redacted(text) : text
  end

  def wanted_content(resource)
    return nil unless type(resource) == 'file' && resource.respond_to?(:content) && resource.content.is_a?(String)
    return nil if resource.content.bytesize > LIMIT
    sensitive?(resource) ? redacted(resource.content) : resource.content
  end

  def redacted(value)
    { 'redacted' => Digest::SHA256.hexdigest("#{@salt}#{value}") }
  end

  def plain(value)
    case value
    when String, Numeric, true, false then value
    when Array then value.map { |each| plain(each) }
    else value.to_s
    end
  end

  def write
    report = {
      'format' => 1, 'chef_version' => @version, 'success' => @success || false, 'converging' => @converging || false,
      'failed_file' => @failed_file, 'error' => @failure && "#{@failure.class}: #{@failure.message}",
      'error_trace' => @failure && Array(@failure.backtrace).first(20), 'resources' => @resources,
      'assumptions' => @assumptions
    }
    File.open("#{@path}.new", 'w', 0o600) { |file| file.write(JSON.generate(report)) }
    File.rename("#{@path}.new", @path)
  end
end
