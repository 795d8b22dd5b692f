/** Every page of the web application, by an address, and what is on it once it is there. */
import type { Content } from './content.ts'

export interface Shot {
  name: string
  path: string
  /** A text that is there when the page is. */
  shows: string
  /** A button that is pressed first. */
  press?: string
}

export function pagesOf({ merged, open, runs, long }: Content): Shot[] {
  const shot = (name: string, path: string, shows: string): Shot => ({ name, path, shows })
  return [
    shot('overview', '/r/shop', 'rows'),
    shot('overview-failed', '/r/shop?state=failed', 'row'),
    shot('merge-requests', '/r/shop/mr?state=all', 'Bring the shop under Git'),
    shot('merge-request', `/r/shop/mr/${open}`, 'missing before it may merge'),
    shot('merge-request-conversation', `/r/shop/mr/${open}?tab=conversation`, 'Who tells support'),
    shot('merge-request-files', `/r/shop/mr/${open}?tab=files`, 'exit 2'),
    shot('merge-request-files-unified', `/r/shop/mr/${open}?tab=files&split=false`, 'exit 2'),
    {
      ...shot(
        'merge-request-editor',
        `/r/shop/mr/${open}?tab=files&file=web/production/site.css`,
        'What the commit says',
      ),
      press: 'Edit web/production/site.css',
    },
    shot('merge-request-commits', `/r/shop/mr/${open}?tab=commits`, 'Change '),
    shot('merge-request-merged', `/r/shop/mr/${merged}`, 'What became of it'),
    shot('merge-request-long', `/r/shop/mr/${open + 1}`, 'auditors'),
    shot('runs', '/r/shop/runs', 'preview'),
    shot('run', `/r/shop/runs/${runs.deployed}`, 'Log'),
    shot('run-failed', `/r/shop/runs/${runs.failed}`, 'Log'),
    shot('run-planned', `/r/shop/runs/${runs.planned}`, 'Log'),
    shot('stack', '/r/shop/stacks/production/web', 'History'),
    shot('stack-graph', '/r/shop/stacks/production/web?view=graph', 'History'),
    shot('stack-database', '/r/shop/stacks/staging/shop/database', 'History'),
    shot('stack-long', `/r/shop/stacks/staging/${long}`, 'History'),
    shot('drift', '/r/shop/drift', 'site.css'),
    shot('deployments', '/r/shop/deployments', 'Lead time'),
    shot('dependencies', '/r/shop/dependencies?environment=staging', 'An arrow leads'),
    shot('places', '/r/shop/places', 'files:default'),
    shot('workers', '/workers', 'Enrol a worker'),
    shot('audit', '/audit', 'Audit'),
    ...['repository', 'people', 'teams', 'tokens', 'variables', 'environments', 'sign-in', 'identity'].map((tab) =>
      shot(`settings-${tab}`, `/settings?tab=${tab}&repository=shop`, 'Settings'),
    ),
    shot('empty-overview', '/r/empty', 'No stacks yet'),
    shot('empty-merge-requests', '/r/empty/mr', 'Merge requests'),
    shot('empty-runs', '/r/empty/runs', 'Runs'),
    shot('empty-drift', '/r/empty/drift', 'Nothing has drifted'),
    shot('empty-deployments', '/r/empty/deployments', 'Deployments'),
    shot('empty-places', '/r/empty/places', 'No places yet'),
    shot('empty-dependencies', '/r/empty/dependencies', 'Dependencies'),
    shot('error-repository', '/r/nowhere', 'nowhere'),
    shot('error-merge-request', '/r/shop/mr/4711', '4711'),
    shot('error-run', '/r/shop/runs/00000000-0000-0000-0000-000000000000', 'no'),
    shot('error-stack', '/r/shop/stacks/production/nothing', 'nothing'),
    shot('error-page', '/r/shop/nothing/here', 'There is no such page'),
  ]
}
