# Resources: what was declared, how it is now, and what an action would do, in the words of Chef's providers.
module Double
  class Resource
    ACTIONS = [:create].freeze
    attr_reader :name, :declared_type, :cookbook_name, :recipe_name, :source_line, :context, :notifications, :final_checksum
    attr_accessor :action

    def self.declares(*names)
      names.each do |name|
        define_method(name) do |*value|
          if value.empty?
            now = instance_variable_get("@#{name}")
            return now.is_a?(Chef::DelayedEvaluator) ? instance_eval(&now) : now
          end
          instance_variable_set("@#{name}", value.first)
        end
      end
    end
    declares :sensitive, :ignore_failure, :retries

    def initialize(type, name, context)
      @declared_type = type
      @name = name
      @context = context
      @cookbook_name = context[:cookbook]
      @recipe_name = context[:recipe]
      @source_line = "#{context[:file]}:#{context[:line]}:in `from_file'"
      @action = self.class::ACTIONS.first
      @guards = []
      @notifications = []
    end

    def to_s
      "#{declared_type}[#{name}]"
    end

    def resource_name
      declared_type
    end

    def lazy(&block)
      Chef::DelayedEvaluator.new(&block)
    end

    # While a recipe compiles.
    def run_action(action)
      context[:run].act(self, action)
    end

    def run_context
      context[:run]
    end

    def action(*given)
      @action = given.first unless given.empty?
      @action
    end

    def reset_property(name)
      instance_variable_set("@#{name}", nil)
    end

    %i[not_if only_if].each do |kind|
      define_method(kind) do |command = nil, &block|
        return @guards.select { |each| each[:kind] == kind } if command.nil? && block.nil?
        @guards << { kind: kind, test: block || -> { system(command, out: File::NULL, err: File::NULL) } }
      end
    end

    def closed_guard
      @guards.find { |each| each[:kind] == :only_if ? !each[:test].call : each[:test].call }&.fetch(:kind)
    end

    def notifies(action, target, timing = :delayed)
      @notifications << { action: action, target: target, timing: timing }
    end

    def node
      context[:node]
    end

    # Messages, each with the deed that it announces; assumptions as `assume`.
    def converge(_action, _why_run, &_assume)
      []
    end

    def current
      nil
    end
  end

  module Secured
    def access(existing, why)
      changes = []
      wanted = mode && format('%04o', mode.is_a?(Integer) ? mode : mode.to_s.to_i(8))
      now = existing ? format('%04o', File.stat(path).mode & 0o7777) : ''
      if wanted && wanted != now
        changes << [["change mode from '#{now}' to '#{wanted}'"], -> { File.chmod(wanted.to_i(8), path) }]
      end
      changes
    end

    def parent_assumption(assume, why)
      parent = File.dirname(path)
      return if File.directory?(parent)
      raise Chef::Exceptions::EnclosingDirectoryDoesNotExist, "Parent directory #{parent} does not exist." unless why
      assume.call(["Parent directory #{parent} does not exist.", "Assuming directory #{parent} would have been created"])
    end
  end

  class FileResource < Resource
    include Secured
    ACTIONS = %i[create delete create_if_missing].freeze
    declares :content, :mode, :owner, :group, :path

    def initialize(*)
      super
      @path = @name
    end

    def current
      return Now.new({}) unless File.exist?(path)
      stat = File.stat(path)
      Now.new('mode' => format('%04o', stat.mode & 0o7777), 'owner' => owner_of(stat), 'group' => group_of(stat), 'path' => path)
    end

    def text
      content
    end

    def converge(action, why, &assume)
      exists = File.exist?(path)
      if action == :delete
        return exists ? [[["delete file #{path}"], -> { File.delete(path) }]] : []
      end
      return [] if action == :create_if_missing && exists
      parent_assumption(assume, why)
      steps = []
      steps << [["create new file #{path}"], -> { FileUtils.touch(path) }] unless exists
      before = exists ? File.binread(path) : nil
      wanted = text
      steps << [content_lines(before), -> { put }] if wanted && before != wanted.b && (exists || !why)
      steps + access(exists, why)
    end

    private

    def put
      stat = File.stat(path)
      backup = "#{path}.chef-new"
      File.binwrite(backup, text)
      File.chmod(stat.mode & 0o7777, backup)
      File.rename(backup, path)
    end

    def content_lines(before)
      sum = ->(value) { Digest::SHA256.hexdigest(value)[0, 6] }
      head = "update content in file #{path} from #{before.nil? || before.empty? ? 'none' : sum.call(before)} to #{sum.call(text)}"
      return [head, 'suppressed sensitive resource'] if sensitive
      [head] + Difference.between(path, before || '', text)
    end

    def owner_of(stat)
      Etc.getpwuid(stat.uid).name
    rescue ArgumentError
      stat.uid
    end

    def group_of(stat)
      Etc.getgrgid(stat.gid).name
    rescue ArgumentError
      stat.gid
    end
  end

  class Template < FileResource
    declares :source, :variables

    def text
      file = File.join(context[:home], 'templates', source || "#{File.basename(path)}.erb")
      file = File.join(context[:home], 'templates', 'default', source) unless File.exist?(file)
      scope = Object.new
      (variables || {}).each { |key, value| scope.instance_variable_set("@#{key}", value) }
      its = node
      scope.define_singleton_method(:node) { its }
      ERB.new(File.read(file), trim_mode: '-').result(scope.instance_eval { binding })
    rescue NameError => e
      raise Chef::Mixin::Template::TemplateError, e.message
    end
  end

  class CookbookFile < FileResource
    declares :source

    def text
      File.read(File.join(context[:home], 'files', source || File.basename(path)))
    end
  end

  class Directory < FileResource
    ACTIONS = %i[create delete].freeze
    declares :recursive
    undef_method :content, :final_checksum

    def converge(action, why, &assume)
      exists = File.directory?(path)
      if action == :delete
        return exists ? [[["delete existing directory #{path}"], -> { FileUtils.rm_r(path) }]] : []
      end
      parent_assumption(assume, why) unless recursive
      steps = exists ? [] : [[["create new directory #{path}"], -> { FileUtils.mkdir_p(path) }]]
      steps + access(exists, why)
    end
  end

  class Link < Resource
    ACTIONS = %i[create delete].freeze
    declares :to, :target_file

    def initialize(*)
      super
      @target_file = @name
    end

    def current
      Now.new(File.symlink?(target_file) ? { 'to' => File.readlink(target_file), 'target_file' => target_file } : {})
    end

    def converge(action, _why)
      now = File.symlink?(target_file) ? File.readlink(target_file) : nil
      return now ? [[["delete symbolic link at #{target_file}"], -> { File.delete(target_file) }]] : [] if action == :delete
      return [] if now == to
      [[["create symlink at #{target_file} to #{to}"], -> { FileUtils.ln_sf(to, target_file) }]]
    end
  end

  class Execute < Resource
    ACTIONS = %i[run nothing].freeze
    declares :command, :creates, :cwd

    def initialize(*)
      super
      @command = @name
    end

    def converge(_action, _why)
      return [] if creates && File.exist?(creates)
      [[["execute #{sensitive ? '[sensitive]' : command}"], -> { perform }]]
    end

    def perform
      output, status = Open3.capture2e(command, chdir: cwd || '/')
      return if status.success?
      raise "Expected process to exit with [0], but received '#{status.exitstatus}'\n---- Begin output of #{command} ----\n#{output}"
    end
  end

  class RubyBlock < Resource
    ACTIONS = %i[run nothing].freeze

    def block(&deed)
      @deed = deed if deed
      @deed
    end

    def converge(_action, _why)
      [[["execute the ruby block #{name}"], -> { @deed.call }]]
    end
  end

  class Reboot < Resource
    ACTIONS = %i[nothing request_reboot reboot_now].freeze
    declares :reason

    def converge(action, _why)
      if action == :reboot_now
        return [[["rebooting the system immediately"], -> { context[:run].reboot_requested = true; throw :end_client_run_early }]]
      end
      [[["request a system reboot to occur if the run succeeds"], -> { context[:run].reboot_requested = true }]]
    end
  end

  # The state of a resource as it is: answers to the names of properties.
  class Now
    def initialize(values)
      @values = values
    end

    def respond_to_missing?(name, _all = false)
      @values.key?(name.to_s)
    end

    def method_missing(name, *rest)
      @values.key?(name.to_s) ? @values[name.to_s] : super
    end
  end

  module Difference
    # As recorded: Chef counts the empty rest after the last line end as a line.
    def self.between(path, before, after)
      return ['(new content is binary, diff output suppressed)'] unless after.dup.force_encoding('UTF-8').valid_encoding?
      return ['(current file is binary, diff output suppressed)'] unless before.dup.force_encoding('UTF-8').valid_encoding?
      Dir.mktmpdir do |directory|
        old, new = %w[old new].map { |name| File.join(directory, name) }
        File.binwrite(old, before)
        File.binwrite(new, after)
        output, = Open3.capture2('diff', '-u', old, new)
        lines = output.lines(chomp: true).drop(2).reject { |line| line.start_with?('\\') }
        stamp = Time.now.strftime('%Y-%m-%d %H:%M:%S.%N %z')
        ["--- #{path}\t#{stamp}", "+++ #{directory}/.chef-new\t#{stamp}"] + lines.map { |line| recount(line) }
      end
    end

    def self.recount(line)
      match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.match(line)
      return line if match.nil?
      side = lambda do |start, count|
        first = start.to_i.zero? ? 1 : start
        total = (count || 1).to_i + 1
        total == 1 ? first.to_s : "#{first},#{total}"
      end
      "@@ -#{side.call(match[1], match[2])} +#{side.call(match[3], match[4])} @@"
    end
  end

  KINDS = {
    file: FileResource, template: Template, cookbook_file: CookbookFile, directory: Directory, link: Link,
    execute: Execute, bash: Execute, ruby_block: RubyBlock, reboot: Reboot
  }.freeze
end
