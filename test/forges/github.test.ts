import { githubDoubleSubject } from './subjects/github.ts'
import { conformance } from './suite.ts'

conformance(githubDoubleSubject)
