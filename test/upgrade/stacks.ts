import type { Sources } from '../faults/stacks.ts'

/** Where the recording holds the tools. Afterwards nothing is there, and nothing holds. */
export const HOLDS = '/tmp/trueup-upgrade-holds'

/** Stacks whose run is in this state when the recording ends; the last two have an open merge request each. */
export const STACKS = ['applying', 'planning', 'queued', 'awaiting', 'open', 'approved'] as const

/** It has no memory: its plan always changes something, and is the same for the same content. */
const TOOL = `#!/bin/sh
hold() { while [ -e "${HOLDS}/$TRUEUP_STACK-$1" ]; do sleep 0.1; done; }
case $1 in
plan)
  hold plan
  echo "set to $(cat wanted) $(cat "${HOLDS}/$TRUEUP_STACK-salt" 2>/dev/null)"
  exit 2
  ;;
apply) hold apply ;;
esac
`

export function sources(): Sources {
  const stacks = STACKS.map(
    (name) => `  - path: ${name}
    driver: command
    environments: [production]
    with: { plan: sh tool.sh plan, apply: sh tool.sh apply }
${name === 'queued' ? '    needs: [applying]\n' : ''}`,
  )
  return {
    'trueup.yaml': `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: observe, interval: 24h }
stacks:
${stacks.join('')}`,
    ...Object.fromEntries(
      STACKS.flatMap((name) => [
        [`${name}/tool.sh`, TOOL],
        [`${name}/wanted`, 'one\n'],
      ]),
    ),
  }
}

/** The second content of these stacks. */
export const changed = (names: readonly (typeof STACKS)[number][]): Sources =>
  Object.fromEntries(names.map((name) => [`${name}/wanted`, 'two\n']))
