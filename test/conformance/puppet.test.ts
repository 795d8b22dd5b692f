import { vi } from 'vitest'
import { puppetSubject } from './subjects/puppet.ts'
import { conformance } from './suite.ts'

// A run of Puppet takes two seconds on a machine that does nothing else, and a property takes up to eight runs.
vi.setConfig({ testTimeout: 240_000 })
conformance(puppetSubject)
