import { expect, it } from 'vitest'
import { hostId, mountedPath, parseMounts } from './real-path.ts'

const MOUNTS = parseMounts(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:2 / /srv rw shared:2 - ext4 /dev/sdb1 rw
31 22 8:2 /site/live /var/www rw shared:2 - ext4 /dev/sdb1 rw
32 22 8:1 /etc /mnt/etc\\040copy rw shared:1 - ext4 /dev/sda1 rw
33 30 0:40 / /srv/site/hidden rw - tmpfs tmpfs rw
34 22 8:1 /tmp/private-1/tmp /tmp rw - ext4 /dev/sda1 rw
`)

it('gives a path that several mounts show one name, the shortest', () => {
  const table = [
    ['/opt/app', '/opt/app'],
    ['/srv/site/live', '/var/www'],
    ['/srv/site/live/a/b', '/var/www/a/b'],
    ['/var/www/a/b', '/var/www/a/b'],
    ['/srv/site', '/srv/site'],
    ['/etc/nginx', '/etc/nginx'],
    ['/mnt/etc copy/nginx', '/etc/nginx'],
    // Another file system lies over it.
    ['/srv/site/hidden/x', '/srv/site/hidden/x'],
    // What the bind mount hides cannot be named by the path that it hides.
    ['/tmp/site', '/tmp/site'],
  ]
  for (const [path, name] of table) expect(mountedPath(MOUNTS, path!), path).toBe(name)
  expect(mountedPath([], '/srv/x')).toBe('/srv/x')
})

it('tells machines apart by name and id, and does not tell the id', () => {
  const id = 'f2ca1bb6c7e907d06dafe4687e579fce'
  expect(hostId('web1\n', `${id}\n`)).toMatch(/^web1~[0-9a-f]{12}$/)
  expect(hostId('web1', id)).toBe(hostId('web1\n', `${id}\n`))
  expect(hostId('web2', id)).not.toBe(hostId('web1', id))
  expect(hostId('web1', '')).not.toBe(hostId('web1', id))
  expect(hostId('a:b/c~d', '')).toMatch(/^a_b_c_d~/)
})
