import { expect, test } from 'vitest'
import { detect } from './detect.ts'

const paths = async (...files: string[]): Promise<string[]> => (await detect(files)).stacks.map(({ path }) => path)

test('host trees, nginx configurations and Compose projects are proposed, the outermost of each', async () => {
  expect(
    (
      await detect([
        'hosts/web/etc/nginx/nginx.conf',
        'hosts/web/etc/motd',
        'apps/shop/compose.yaml',
        'apps/shop/.env',
        'proxy/nginx.conf',
      ])
    ).stacks,
  ).toMatchObject([
    { path: 'apps/shop', with: { target: '/srv/shop' } },
    { path: 'hosts/web/etc', with: { target: '/etc' } },
    { path: 'proxy', with: { target: '/etc/nginx' } },
  ])
})

test('what belongs to other tools, tests and examples is left to them', async () => {
  expect(
    await paths(
      'roles/web/files/nginx.conf',
      'site/site.yml',
      'site/etc/motd',
      'infra/main.tf',
      'infra/etc/x',
      'examples/etc/motd',
      'src/etc/x',
      'chart/Chart.yaml',
      'chart/compose.yaml',
      '.github/etc/x',
      'compose.yaml',
      'README.md',
    ),
  ).toEqual([])
})

test('a repository that is an nginx configuration as a whole is one stack, without what is about the repository', async () => {
  const { stacks: proposals } = await detect([
    'nginx.conf',
    'conf.d/default.conf',
    'h5bp/basic.conf',
    'README.md',
    'LICENSE.txt',
  ])
  expect(proposals).toMatchObject([
    { path: '.', with: { target: '/etc/nginx', exclude: expect.arrayContaining(['*.md']) } },
  ])
})

test('gives Compose projects of one name directories of their own', async () => {
  const { stacks: proposals } = await detect(['shop/web/compose.yaml', 'blog/web/compose.yaml', 'mail/compose.yaml'])
  expect(proposals.map((proposal) => proposal.with?.['target'])).toEqual([
    '/srv/blog-web',
    '/srv/mail',
    '/srv/shop-web',
  ])
  expect(proposals[0]?.with?.['reload']).toContain(' /srv/blog-web ')
})

test('a repository that is one Compose project is one stack; that of a program is not', async () => {
  const { stacks: proposals } = await detect(['compose.yaml', '.env', 'caddy/Caddyfile', 'README.md'])
  expect(proposals).toMatchObject([{ path: '.', with: { target: '/srv/app' } }])
  expect(proposals[0]?.with?.['exclude']).not.toContain('.*')
  expect(await paths('compose.yaml', 'package.json', 'src/index.js')).toEqual([])
  expect(await paths('docker-compose.yml', 'Dockerfile', 'app.py')).toEqual([])
  expect(await paths('docker-compose.yml', 'infra/main.tf')).toEqual([])
})
