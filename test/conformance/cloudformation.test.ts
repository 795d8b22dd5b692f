import { cloudformationSubjects } from './subjects/cloudformation.ts'
import { conformance } from './suite.ts'

for (const subject of cloudformationSubjects) conformance(subject)
