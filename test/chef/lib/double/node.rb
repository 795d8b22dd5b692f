# Attributes of the node: `default[...]` of cookbooks below what `-j` gives.
module Double
  class Attributes < Hash
    def initialize
      super { |hash, key| hash[key] = Attributes.new }
    end

    def self.from(value)
      return value unless value.is_a?(Hash)
      value.each_with_object(new) { |(key, each), all| all[key.to_s] = from(each) }
    end

    def merged(high)
      merge(high) { |_, a, b| a.is_a?(Attributes) && b.is_a?(Attributes) ? a.merged(b) : b }
    end
  end

  class Node
    attr_reader :default

    def initialize(given)
      @default = Attributes.new
      @normal = Attributes.from(given)
    end

    def [](name)
      @default.merged(@normal)[name.to_s]
    end

    def instance_attributes(text, file)
      instance_eval(text, file)
    end
  end
end
