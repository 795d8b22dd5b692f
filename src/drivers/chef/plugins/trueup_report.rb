# Trueup's witness of a Chef run. It listens to the events of the run (Chef::EventDispatch, which formatters use too) and
# writes what became of each resource as JSON. What is `sensitive` is redacted here, on the host: Chef's own JSON report
# handler writes it in clear. Loaded by the client.rb that Trueup makes for each run; needs nothing but Ruby's own library
# and trueup_conceal.rb beside it.
#
# Two rules: a listener never raises, because an exception in one leaves Chef half done and replaces the real error; and it
# never evaluates a `lazy` value, because that may fail, or do something, where Chef itself would not have come to it.
require 'json'
require 'digest'
require 'chef/event_dispatch/base'
require_relative 'trueup_conceal'
require_relative 'trueup_properties'

class TrueupReport < Chef::EventDispatch::Base
  LIMIT = 256 * 1024
  FILES = %w[file template cookbook_file remote_file].freeze
  # Errors of a why-run that will be errors of the run too; anything else may be a resource that cannot look yet.
  DEFINITE = %w[Chef::Mixin::Template::TemplateError Chef::Exceptions::FileNotFound Chef::Exceptions::CookbookNotFound
                Chef::Exceptions::ValidationFailed Chef::Exceptions::ProviderNotFound Chef::Exceptions::ResourceNotFound
                Chef::Exceptions::UnsupportedAction].freeze

  # `ignored` are properties by resource that Trueup's ignore rules cover: they are taken away before Chef looks at them.
  # Whether it is a why-run Chef's configuration does not say yet when client.rb is read.
  def initialize(path, salt, ignored, whyrun)
    super()
    @path = path
    @salt = salt
    @ignored = ignored
    @resources = []
    @assumptions = []
    @gems = []
    @notifiers = {}
    @stack = []
    @whyrun = whyrun
    @concealed = TrueupConceal.new
    @properties = TrueupProperties.new(@concealed, salt)
    @concealed.cover($stdout, $stderr, STDOUT, STDERR)
  end

  def run_start(version, status = nil)
    @version = version.to_s
    first_of(status.events) if status.respond_to?(:events) && status.events
    TrueupReport.survive_missing_libraries if @whyrun
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
    @unresolved = answer_of(exception)
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

  # Of a why-run client.rb says `skip_gem_metadata_installation`: what is not there would be installed.
  def cookbook_gem_start(gems)
    return unless @whyrun
    @gems = gems.to_h.reject { |name, wanted| installed?(name, wanted) }.keys.map(&:to_s)
  end

  def converge_start(_context)
    @converging = true
    write
  end

  def resource_action_start(resource, action, notification_type = nil, notifier = nil)
    reference = @properties.reference(resource)
    (@ignored[reference] || []).each { |name| resource.reset_property(name.to_sym) }
    declared = @properties.peek(resource, 'ignore_failure')
    @stack.push(entry(resource, action, notification_type, notifier).merge('ignored' => declared ? true : false))
    @resources << @stack.last
    @properties.watch(resource)
    @properties.say_without_failing(resource, @whyrun)
    look_on(resource) if @whyrun
  end

  def resource_current_state_loaded(resource, _action, current)
    at(resource)['before'] = @properties.state(current, resource)
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
    lines = lines.reject { |line| line.start_with?('-', '+', '@', '  ', ' ') && !line.start_with?('  set ') } if @properties.sensitive?(resource)
    at(resource)['updates'].concat(lines)
    at(resource)['status'] = 'updated'
  end

  def resource_updated(resource, _action)
    at(resource)['status'] = 'updated'
    at(resource)['after'] = @properties.state(resource, resource)
    remember_notified(resource)
  end

  def resource_up_to_date(resource, _action)
    at(resource)['status'] = 'up_to_date' unless at(resource)['status'] == 'updated'
  end

  def resource_skipped(resource, action, conditional)
    why = action.to_s == 'nothing' ? 'action :nothing' : guard(conditional)
    at(resource).merge!('status' => 'skipped', 'why' => why)
  end

  def resource_failed(resource, _action, exception)
    secret = @properties.sensitive?(resource)
    # The formatters have not printed it yet: this listener is the first.
    exception.message.to_s.b.each_line { |line| @concealed.add(line.strip) } if secret
    message = secret ? "#{exception.class} (its words are suppressed: the resource is sensitive)" : told(exception)
    at(resource).merge!('status' => 'failed', 'error' => message, 'definite' => definite?(exception),
                        'error_trace' => trace(exception))
  end

  def whyrun_assumption(_action, resource, message)
    Array(message).flatten.each do |line|
      @assumptions << { 'resource' => @properties.reference(resource), 'message' => line.to_s }
    end
  end

  def resource_completed(resource)
    done = @stack.pop
    return if done.nil?
    done['wanted'] = @properties.state(resource, resource)
    done['wanted_content'] = wanted_content(resource)
    write if %w[updated failed].include?(done['status'])
  end

  def run_completed(*_rest)
    @success = true
    write
  end

  def run_failed(exception, *_rest)
    @failure ||= exception
    write
  end

  # Whatever goes wrong in here is a line in the report, and nothing in the run.
  (public_instance_methods(false) - [:initialize]).each do |event|
    heard = instance_method(event)
    define_method(event) do |*arguments|
      heard.bind_call(self, *arguments)
    rescue StandardError, ScriptError, SystemStackError => e
      (@troubles ||= []) << "#{event}: #{e.class}: #{e.message}"
      nil
    end
  end

  # A library that a run would install first is no reason to end a why-run: LoadError is not rescued by ignore_failure.
  def self.survive_missing_libraries
    return unless defined?(Chef::Provider)
    Chef::Provider.prepend(Module.new do
      def run_action(*arguments)
        super
      rescue ScriptError => e
        raise "#{e.class}: #{e.message}"
      end
    end)
  end

  private

  # Before the formatters, so that nothing secret is printed before it is known to be so. The dispatcher is walking through
  # the list by index: those behind this place keep theirs.
  def first_of(dispatcher)
    list = dispatcher.subscribers
    place = list.index(self)
    list.unshift(list.delete_at(place)) if place && place.positive?
  end

  # A resource that cannot be looked at yet must not end the why-run: the rest is looked at.
  def look_on(resource)
    resource.ignore_failure(true) if resource.respond_to?(:ignore_failure)
    resource.retries(0) if resource.respond_to?(:retries)
  end

  def entry(resource, action, notification_type, notifier)
    reference = @properties.reference(resource)
    {
      'resource' => reference, 'type' => @properties.type(resource), 'name' => reference[/\[(.*)\]\z/m, 1].to_s,
      'action' => action.to_s, 'depth' => @stack.length, 'status' => 'unprocessed', 'updates' => [],
      'sensitive' => @properties.sensitive?(resource), 'cookbook' => resource.cookbook_name.to_s,
      'recipe' => resource.recipe_name.to_s, 'source_line' => resource.source_line.to_s,
      'guarded' => @properties.guarded?(resource), 'guards' => @properties.guards?(resource),
      'notified_by' => notified_by(reference, action, notification_type, notifier),
      # `before` notifications make Chef look first, in the middle of a run.
      'why_run' => Chef::Config[:why_run] ? true : false
    }
  end

  # A delayed notification reaches the event without its notifier.
  def notified_by(reference, action, type, notifier)
    return nil if type.nil? || type.to_s.empty?
    return @properties.reference(notifier) if notifier
    names = @notifiers["#{reference} #{action}"]
    names.nil? ? 'a notification' : names.join(', ')
  end

  def remember_notified(resource)
    context = resource.respond_to?(:run_context) ? resource.run_context : nil
    return unless context.respond_to?(:delayed_notifications)
    context.delayed_notifications(resource).each do |each|
      target = each.resource.respond_to?(:resource_name) ? @properties.reference(each.resource) : each.resource.to_s
      names = (@notifiers["#{target} #{each.action}"] ||= [])
      name = @properties.reference(resource)
      names << name unless names.include?(name)
    end
  end

  def at(resource)
    wanted = @properties.reference(resource)
    @stack.reverse.find { |each| each['resource'] == wanted } || @resources.last || {}
  end

  def file?(resource)
    FILES.include?(@properties.type(resource)) || resource.respond_to?(:final_checksum)
  end

  def guard(conditional)
    return 'a guard' if conditional.nil?
    conditional.respond_to?(:positivity) ? conditional.positivity.to_s : conditional.to_s
  end

  def content(current, declared)
    path = @properties.peek(declared, 'path') || declared.name
    return nil unless current && File.file?(path.to_s)
    text = File.binread(path.to_s, LIMIT + 1)
    return nil if text.nil? || text.bytesize > LIMIT
    text = text.dup.force_encoding('UTF-8')
    return nil unless text.valid_encoding?
    @properties.sensitive?(declared) ? @properties.redacted(text) : text
  end

  def wanted_content(resource)
    return nil unless @properties.type(resource) == 'file'
    text = @properties.seen(resource, 'content')
    return nil unless text.is_a?(String) && text.bytesize <= LIMIT
    text = text.dup.force_encoding('UTF-8')
    return nil unless text.valid_encoding?
    @properties.sensitive?(resource) ? @properties.redacted(text) : text
  end

  def installed?(name, wanted)
    requirements = Array(wanted).grep(String)
    Gem::Specification.find_all_by_name(name.to_s, *requirements).any?
  rescue StandardError
    false
  end

  def definite?(exception)
    exception.class.ancestors.map(&:to_s).any? { |name| DEFINITE.include?(name) }
  end

  # What a Chef server says of cookbooks that it cannot find: a bare 412 with a JSON answer.
  def answer_of(exception)
    return nil unless exception.respond_to?(:response) && exception.response.respond_to?(:body)
    body = JSON.parse(exception.response.body.to_s)
    error = Array(body['error']).first
    error = JSON.parse(error) if error.is_a?(String) && error.start_with?('{')
    error.is_a?(Hash) ? error : { 'message' => error.to_s }
  rescue StandardError
    nil
  end

  def told(exception)
    exception && "#{exception.class}: #{exception.message}"
  end

  def trace(exception)
    exception && Array(exception.backtrace).first(40)
  end

  def write
    report = {
      'format' => 2, 'chef_version' => @version, 'success' => @success || false, 'converging' => @converging || false,
      'failed_file' => @failed_file, 'error' => told(@failure), 'error_trace' => trace(@failure),
      'unresolved' => @unresolved, 'resources' => @resources, 'assumptions' => @assumptions, 'gems' => @gems,
      'troubles' => @troubles || []
    }
    text = JSON.generate(@concealed.json(report))
    File.open("#{@path}.new", 'w', 0o600) { |file| file.write(text) }
    File.rename("#{@path}.new", @path)
  end
end
