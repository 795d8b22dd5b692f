# @summary A message of the day, and a program's configuration.
#
# @param motto
#   What people read when they log in.
class profile::greeting (
  String[1] $motto,
) {
  file { '/etc/motd':
    content => epp('profile/motd.epp', { 'motto' => $motto }),
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
  }

  file { '/etc/greeting.d':
    ensure => directory,
    mode   => '0755',
  }

  file { '/etc/greeting.d/motto.conf':
    content => "motto = ${motto}\n",
    mode    => '0640',
    notify  => Exec['count greetings'],
  }

  exec { 'count greetings':
    command     => 'date >>/etc/greeting.d/changes',
    provider    => shell,
    refreshonly => true,
  }
}
