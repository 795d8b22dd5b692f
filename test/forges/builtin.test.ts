import { builtinSubject } from './subjects/builtin.ts'
import { conformance } from './suite.ts'

conformance(builtinSubject)
