import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['node_modules', 'dist'],
    setupFiles: ['test/setup/property-seed.ts'],
    // What never comes must fail, and what is slow must not: machines that test for others are many times slower.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    env: {
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      TZ: 'UTC',
      CHECKPOINT_DISABLE: '1',
      // Commands under test have a home of their own, and would compile everything anew for it.
      NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled'),
    },
  },
})
