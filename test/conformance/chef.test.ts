import { chefSubject } from './subjects/chef.ts'
import { conformance } from './suite.ts'

conformance(chefSubject)
