import { ansibleSubject } from './subjects/ansible.ts'
import { conformance } from './suite.ts'

conformance(ansibleSubject)
