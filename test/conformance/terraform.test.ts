import { terraformSubject } from './subjects/terraform.ts'
import { conformance } from './suite.ts'

conformance(terraformSubject('terraform'))
conformance(terraformSubject('tofu'))
