import { filesSubject } from './subjects/files.ts'
import { conformance } from './suite.ts'

conformance(filesSubject)
