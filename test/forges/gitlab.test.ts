import { gitlabDoubleSubject } from './subjects/gitlab.ts'
import { conformance } from './suite.ts'

conformance(gitlabDoubleSubject)
