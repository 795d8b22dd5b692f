import { afterAll } from 'vitest'
import { kubernetesSubject, stopCluster } from './subjects/kubernetes.ts'
import { conformance } from './suite.ts'

conformance(kubernetesSubject)
afterAll(stopCluster)
