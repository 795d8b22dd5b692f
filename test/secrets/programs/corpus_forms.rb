# forms.rb as a function of Puppet.
Puppet::Functions.create_function(:corpus_forms) do
  dispatch(:forms) {}

  def forms
    file = File.join(File.dirname(__FILE__), 'forms.txt')
    eval(File.read(file, encoding: 'UTF-8'))
  end
end
