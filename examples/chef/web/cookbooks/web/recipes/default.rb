template '/etc/motd' do
  source 'motd.erb'
  variables(motto: node['web']['motto'])
  mode '0644'
end

directory '/etc/greeting.d' do
  mode '0755'
end

file '/etc/greeting.d/motto.conf' do
  content "motto = #{node['web']['motto']}\n"
  mode '0640'
  notifies :run, 'execute[count greetings]'
end

execute 'count greetings' do
  command 'date >>/etc/greeting.d/changes'
  action :nothing
end
