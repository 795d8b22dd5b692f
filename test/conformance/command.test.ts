import { executableSubject, shellSubject } from './subjects/command.ts'
import { conformance } from './suite.ts'

conformance(executableSubject)
conformance(shellSubject)
