# What a client.rb may say, and the names of Chef that a handler and a recipe may use.
class Chef
  VERSION = '16.18.43'.freeze

  module Exceptions
    class RunLockTimeout < RuntimeError; end
    class RebootPending < RuntimeError; end
    class RecipeNotFound < ArgumentError; end
    class CookbookNotFound < RuntimeError; end
    class EnclosingDirectoryDoesNotExist < ArgumentError; end
    class FileNotFound < ArgumentError; end
  end

  module Mixin
    module Template
      class TemplateError < RuntimeError; end
    end
  end

  # What `lazy { }` makes: evaluated whenever it is asked for.
  class DelayedEvaluator < Proc
  end

  module Config
    VALUES = { event_handlers: [], cookbook_path: [], why_run: false }

    def self.[](name)
      VALUES[name]
    end

    def self.load(file)
      Reader.new.instance_eval(File.read(file), file)
    end

    class Reader
      def method_missing(name, *values)
        return VALUES[name] if values.empty?
        VALUES[name] = values.first
      end

      def respond_to_missing?(*_)
        true
      end
    end
  end
end

# As in a distribution of Chef: Cinc has names of its own.
module ChefUtils
  module Dist
    module Infra
      CINC = File.basename($PROGRAM_NAME).start_with?('cinc')
      CLIENT = CINC ? 'cinc-client' : 'chef-client'
      DIR_SUFFIX = CINC ? 'cinc' : 'chef'
    end
  end
end
