import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../objects/object.ts'
import { compileExpression, expressionProblem } from '../objects/expressions.ts'
import { healthOf } from './kinds.ts'

const object = (apiVersion: string, kind: string, rest: object, generation?: number): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...(generation !== undefined && { generation }) },
  ...rest,
})
const condition = (type: string, status: string, message = ''): object => ({
  status: { conditions: [{ type, status, message }] },
})

describe('health', () => {
  it.each([
    ['apps/v1', 'Deployment', { spec: { replicas: 0 }, status: { observedGeneration: 1 } }, 'healthy'],
    ['apps/v1', 'Deployment', { spec: { replicas: 1 }, status: {} }, 'progressing'],
    [
      'apps/v1',
      'Deployment',
      {
        status: {
          observedGeneration: 1,
          conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
        },
      },
      'failed',
    ],
    [
      'apps/v1',
      'StatefulSet',
      { spec: { replicas: 2 }, status: { observedGeneration: 1, updatedReplicas: 2, readyReplicas: 1 } },
      'progressing',
    ],
    [
      'apps/v1',
      'DaemonSet',
      { status: { observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 } },
      'healthy',
    ],
    ['batch/v1', 'Job', condition('Failed', 'True'), 'failed'],
    ['batch/v1', 'Job', {}, 'progressing'],
    ['v1', 'PersistentVolumeClaim', { status: { phase: 'Lost' } }, 'failed'],
    ['v1', 'Service', { spec: { type: 'LoadBalancer' }, status: { loadBalancer: {} } }, 'progressing'],
    ['v1', 'Service', { spec: { type: 'ClusterIP' } }, 'healthy'],
    ['networking.k8s.io/v1', 'Ingress', { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }, 'healthy'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', condition('NamesAccepted', 'False'), 'failed'],
    ['apiregistration.k8s.io/v1', 'APIService', condition('Available', 'True'), 'healthy'],
    ['example.org/v1', 'Thing', {}, 'healthy'],
    ['example.org/v1', 'Thing', condition('Ready', 'False', 'not yet'), 'progressing'],
    ['example.org/v1', 'Thing', condition('Stalled', 'True'), 'failed'],
    ['example.org/v1', 'Deployment', {}, 'healthy'],
    ['v1', 'ConfigMap', {}, 'healthy'],
  ])('%s %s %j is %s', (apiVersion, kind, rest, state) => {
    expect(healthOf(object(apiVersion, kind, rest)).state).toBe(state)
  })

  it('is unknown until the controller has seen the change', () => {
    const seen = { status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] } }
    expect(healthOf(object('example.org/v1', 'Thing', seen, 2)).state).toBe('progressing')
    expect(healthOf(object('example.org/v1', 'Thing', seen, 1)).state).toBe('healthy')
  })
})

describe('health expressions', () => {
  it.each([
    ['object.status.phase == "Ready"', true],
    ['object.status.count > 2', true],
    ['object.status.ratio < 0.6', true],
    ['object.status.conditions.exists(c, c.type == "A" && c.status == "True")', true],
    ['object.status.missing == 1', false],
    ['object.spec.x.y', false],
    ['object.status.phase', false],
  ])('%s is %s', (text, expected) => {
    const status = { phase: 'Ready', count: 3, ratio: 0.5, conditions: [{ type: 'A', status: 'True' }] }
    expect(compileExpression(text)({ status })).toBe(expected)
  })

  it('refuses what cannot be read, and regular expressions', () => {
    expect(expressionProblem('object.status.phase ==')).not.toBeNull()
    expect(expressionProblem('object.a.matches("(a+)+b")')).toMatch(/matches/)
    expect(expressionProblem('object.a == 1')).toBeNull()
  })
})
