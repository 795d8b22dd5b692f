import { puppetSubject } from './subjects/puppet.ts'
import { conformance } from './suite.ts'

conformance(puppetSubject)
