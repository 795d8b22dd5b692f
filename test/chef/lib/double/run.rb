# One run: resolve, compile, converge, with the output of the doc formatter and the events of the dispatcher.
module Double
  class Recipe
    def initialize(run, cookbook, name, home)
      @run = run
      @where = { cookbook: cookbook, recipe: name, home: home, node: run.node, run: run }
    end

    def node
      @run.node
    end

    def include_recipe(name)
      @run.compile(name)
    end

    KINDS.each do |type, kind|
      define_method(type) do |name, &block|
        place = caller_locations(1, 1).first
        resource = kind.new(type, name, @where.merge(file: place.path, line: place.lineno))
        resource.instance_eval(&block) if block
        @run.resources << resource
        resource
      end
    end
  end

  class Run
    attr_reader :node, :resources
    attr_accessor :reboot_requested

    def initialize(options)
      @why = options[:why_run]
      given = options[:json] ? JSON.parse(File.read(options[:json])) : {}
      @run_list = options[:run_list] || given['run_list'] || []
      @lock_timeout = options[:lock_timeout] || 3600
      @node = Node.new(given.reject { |key, _| key == 'run_list' })
      @resources = []
      @events = Chef::Config[:event_handlers]
      @total = 0
      @updated = []
      @delayed = []
      Chef::Config::VALUES[:why_run] = @why
    end

    # As the events of Chef ask for them.
    Status = Struct.new(:events)
    Dispatcher = Struct.new(:subscribers)
    Notification = Struct.new(:resource, :action, :notifying_resource)

    def delayed_notifications(resource)
      resource.notifications.select { |each| each[:timing] == :delayed }.map { |each| Notification.new(each[:target], each[:action], resource) }
    end

    def call
      started = Time.now
      puts "Starting Chef Infra Client, version #{Chef::VERSION}", 'Patents: https://www.chef.io/patents'
      emit(:run_start, Chef::VERSION, Status.new(Dispatcher.new(@events)))
      lock = acquire_lock
      Signal.trap('TERM') { raise SignalException, 'TERM' }
      copy_cookbooks
      compile_all
      puts "Converging #{resources.length} resources"
      emit(:converge_start, nil)
      catch(:end_client_run_early) { converge }
      emit(:run_completed, node, nil)
      finish(started)
      reboot_requested ? 35 : 0
    rescue StandardError, SyntaxError => e
      emit(:run_failed, e, nil)
      puts '', 'Running handlers:', 'Running handlers complete', "Chef Infra Client failed. #{@updated.length} resources updated in 01 seconds"
      puts "[#{Time.now.strftime('%FT%T%:z')}] FATAL: #{e.class}: #{e.message}"
      e.is_a?(Chef::Exceptions::RebootPending) ? 37 : 1
    rescue SignalException, Interrupt => e
      puts "[#{Time.now.strftime('%FT%T%:z')}] FATAL: #{e.message} received, stopping"
      e.is_a?(Interrupt) ? 2 : 3
    ensure
      lock&.close
    end

    def compile(entry)
      cookbook, recipe = entry.sub(/\Arecipe\[(.*)\]\z/, '\1').split('::')
      recipe ||= 'default'
      home = File.join(copies, cookbook)
      unless File.directory?(home)
        error = Chef::Exceptions::CookbookNotFound.new("Cookbook #{cookbook} not found.")
        emit(:cookbook_resolution_failed, @run_list, error)
        raise error
      end
      attributes = File.join(home, 'attributes', 'default.rb')
      node.instance_attributes(File.read(attributes), attributes) if File.exist?(attributes)
      load_recipe(cookbook, recipe, home)
    end

    # One action, with its notifications; what a recipe runs itself comes here too.
    def act(resource, action, notification = nil)
      before(resource, action)
      @total += 1
      # A delayed notification reaches the event without its notifier.
      timing = notification && notification[:timing]
      emit(:resource_action_start, resource, action, timing, timing == :delayed ? nil : notification && notification[:from])
      print "  * #{resource} action #{action}"
      perform(resource, action)
    rescue StandardError => e
      puts '', "    ================================================================================", "    Error executing action `#{action}` on resource '#{resource}'", "    #{e.message.lines.first}"
      emit(:resource_failed, resource, action, e)
      raise e.class, "#{resource} (#{resource.cookbook_name}::#{resource.recipe_name} line #{resource.context[:line]}) had an error: #{e.class}: #{e.message}", e.backtrace unless resource.ignore_failure
    ensure
      emit(:resource_completed, resource)
    end

    private

    def copies
      File.join(Chef::Config[:file_cache_path] || Dir.tmpdir, 'cookbooks')
    end

    # Chef runs cookbooks from a copy in its cache, by the names in their metadata.
    def copy_cookbooks
      FileUtils.rm_rf(copies)
      FileUtils.mkdir_p(copies)
      Array(Chef::Config[:cookbook_path]).flat_map { |path| Dir.glob(File.join(path, '*/')) }.each do |home|
        FileUtils.rm_rf(File.join(copies, name_of(home)))
        FileUtils.cp_r(File.realpath(home), File.join(copies, name_of(home)))
      end
      there = Dir.children(copies)
      missing = there.flat_map { |name| metadata(File.join(copies, name)).scan(/^\s*depends\s+['"]([\w-]+)/).flatten } - there
      unresolved("No such cookbook: #{missing.first}") unless missing.empty?
    end

    Answer = Struct.new(:body)
    def unresolved(message)
      error = RuntimeError.new('412 "Precondition Failed"')
      error.define_singleton_method(:response) { Answer.new(JSON.generate('error' => [{ 'message' => message }])) }
      emit(:cookbook_resolution_failed, @run_list, error)
      raise error
    end

    def metadata(home)
      file = File.join(home, 'metadata.rb')
      File.exist?(file) ? File.read(file) : ''
    end

    def name_of(home)
      metadata(home)[/^\s*name\s+['"]([\w-]+)/, 1] || File.basename(home)
    end

    # A `before` notification makes Chef look first, as in a why-run.
    def before(resource, action)
      wanted = resource.notifications.select { |each| each[:timing] == :before }
      return if wanted.empty? || action == :nothing || resource.closed_guard
      saved = @why
      @why = Chef::Config::VALUES[:why_run] = true
      looked = look(resource, action)
      @why = Chef::Config::VALUES[:why_run] = saved
      wanted.each { |each| notify(each.merge(from: resource)) } if looked
    end

    def look(resource, action)
      emit(:resource_action_start, resource, action, nil, nil)
      steps = resource.converge(action, true) { |_| nil }
      steps.each { |messages, _| emit(:resource_update_applied, resource, action, messages) }
      emit(steps.empty? ? :resource_up_to_date : :resource_updated, resource, action)
      emit(:resource_completed, resource)
      steps.any?
    end

    def load_recipe(cookbook, recipe, home)
      file = File.join(home, 'recipes', "#{recipe}.rb")
      unless File.exist?(file)
        error = Chef::Exceptions::RecipeNotFound.new("could not find recipe #{recipe} for cookbook #{cookbook}")
        emit(:recipe_not_found, error)
        raise error
      end
      Recipe.new(self, cookbook, recipe, home).instance_eval(File.read(file), file)
    rescue StandardError, SyntaxError => e
      emit(:recipe_file_load_failed, file, e, nil)
      raise
    end

    def acquire_lock
      path = Chef::Config[:lockfile] || File.join(Chef::Config[:file_cache_path] || Dir.tmpdir, 'chef-client-running.pid')
      FileUtils.mkdir_p(File.dirname(path))
      file = File.open(path, File::RDWR | File::CREAT, 0o644)
      ends = Time.now + @lock_timeout
      until file.flock(File::LOCK_EX | File::LOCK_NB)
        if Time.now >= ends
          raise Chef::Exceptions::RunLockTimeout, "Unable to acquire lock. Waited #{@lock_timeout} seconds for #{File.read(path)} to release."
        end
        sleep 0.1
      end
      file.truncate(0)
      file.write(Process.pid)
      file.flush
      file
    end

    def compile_all
      names = @run_list.map { |entry| entry.sub(/\Arecipe\[(.*)\]\z/, '\1') }
      puts "resolving cookbooks for run list: #{names.inspect}", 'Synchronizing Cookbooks:'
      names.map { |name| name.split('::').first }.uniq.each { |name| puts "  - #{name} (#{version_of(name)})" }
      puts 'Installing Cookbook Gems:', 'Compiling Cookbooks...'
      @run_list.each { |entry| compile(entry) }
    end

    def version_of(cookbook)
      file = Array(Chef::Config[:cookbook_path]).map { |path| File.join(path, cookbook, 'metadata.rb') }.find { |path| File.exist?(path) }
      file && File.read(file)[/^\s*version\s+['"]([\d.]+)/, 1] || '0.0.0'
    end

    def converge
      recipe = nil
      resources.each do |resource|
        its = "#{resource.cookbook_name}::#{resource.recipe_name}"
        puts "Recipe: #{its}" unless its == recipe
        recipe = its
        act(resource, resource.action)
      end
      @delayed.uniq { |each| [each[:target], each[:action]] }.each { |each| notify(each) }
    end

    def notify(each)
      target = resources.find { |resource| resource.to_s == each[:target] } || raise("no resource #{each[:target]}")
      act(target, each[:action], each)
    end

    def perform(resource, action)
      if action == :nothing
        puts ' (skipped due to action :nothing)'
        return emit(:resource_skipped, resource, action, nil)
      end
      guard = resource.closed_guard
      if guard
        puts " (skipped due to #{guard})"
        return emit(:resource_skipped, resource, action, guard)
      end
      emit(:resource_current_state_loaded, resource, action, resource.current)
      assumed = []
      steps = resource.converge(action, @why) { |messages| assumed.concat(messages) }
      if steps.empty?
        puts ' (up to date)'
        return emit(:resource_up_to_date, resource, action)
      end
      puts
      assumed.each { |message| puts "    * #{message}" }
      emit(:whyrun_assumption, action, resource, assumed) unless assumed.empty?
      steps.each { |messages, deed| step(resource, action, messages, deed) }
      @updated << resource
      emit(:resource_updated, resource, action)
      resource.notifications.reject { |each| each[:timing] == :before }.each { |each| queue(each.merge(from: resource)) }
    end

    def step(resource, action, messages, deed)
      deed.call unless @why
      messages.each do |message|
        plain = message.start_with?('---', '+++', '@@', '+', '-', ' ')
        puts plain ? "    #{message}" : "    - #{@why ? "Would #{message}" : message}"
      end
      emit(:resource_update_applied, resource, action, messages)
    end

    def queue(notification)
      notification[:timing] == :immediately ? notify(notification) : @delayed << notification
    end

    def finish(started)
      puts '', 'Running handlers:', 'Running handlers complete'
      count = "#{@updated.length}/#{@total} resources"
      took = format('%02d', (Time.now - started).round)
      puts @why ? "Chef Infra Client finished, #{count} would have been updated" : "Chef Infra Client finished, #{count} updated in #{took} seconds"
    end

    def emit(event, *arguments)
      @events.dup.each { |handler| handler.public_send(event, *arguments) }
    end
  end
end
