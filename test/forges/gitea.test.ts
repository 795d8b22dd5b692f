import { giteaDoubleSubject } from './subjects/gitea.ts'
import { conformance } from './suite.ts'

conformance(giteaDoubleSubject)
