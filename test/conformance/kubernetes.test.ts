import { afterAll } from 'vitest'
import { kubernetesSubjects, stopCluster } from './subjects/kubernetes.ts'
import { conformance } from './suite.ts'

for (const subject of kubernetesSubjects) conformance(subject)
afterAll(stopCluster)
