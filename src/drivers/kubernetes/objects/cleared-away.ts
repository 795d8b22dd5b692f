import { groupOf, type KubeObject, valueAt } from './object.ts'

/** A Job that the cluster deletes when it is over: that it is missing says that it has run. */
export const isClearedAway = (object: KubeObject): boolean =>
  object.kind === 'Job' &&
  groupOf(object.apiVersion) === 'batch' &&
  typeof valueAt(object, 'spec', 'ttlSecondsAfterFinished') === 'number'
