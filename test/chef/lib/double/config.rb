# What a client.rb may say, and the names of Chef that a handler and a recipe may use.
class Chef
  VERSION = '16.18.43'.freeze

  module Exceptions
    class RunLockTimeout < RuntimeError; end
    class RebootPending < RuntimeError; end
    class RecipeNotFound < ArgumentError; end
    class CookbookNotFound < RuntimeError; end
    class EnclosingDirectoryDoesNotExist < ArgumentError; end
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
