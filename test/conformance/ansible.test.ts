import { vi } from 'vitest'
import { ansibleSubject } from './subjects/ansible.ts'
import { conformance } from './suite.ts'

// A property takes up to seven runs of a playbook on three hosts, and each of them many processes: 5 s, on a busy machine 20.
vi.setConfig({ testTimeout: 300_000 })

conformance(ansibleSubject)
