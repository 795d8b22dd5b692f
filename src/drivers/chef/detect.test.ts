import { expect, test } from 'vitest'
import { detect } from './detect.ts'

const nothing = (): Promise<null> => Promise.resolve(null)

test('policies with a lock, and a directory with one cookbook, are stacks', async () => {
  const files = ['web/Policyfile.rb', 'web/Policyfile.lock.json', 'db/cookbooks/db/recipes/default.rb']
  expect((await detect(files, nothing)).stacks).toMatchObject([
    { path: 'web' },
    { path: 'db', with: { runList: ['recipe[db]'] } },
  ])
})

test('a cookbook by itself, a collection of them, tests and vendored ones are not', async () => {
  const files = [
    'metadata.rb',
    'recipes/default.rb',
    'Policyfile.rb',
    'Policyfile.lock.json',
    'all/cookbooks/a/recipes/default.rb',
    'all/cookbooks/b/recipes/default.rb',
    'test/cookbooks/t/recipes/default.rb',
    'vendor/cookbooks/v/recipes/default.rb',
  ]
  expect((await detect(files, nothing)).stacks).toEqual([])
})
