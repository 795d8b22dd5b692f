import { type DemoHands, isThere } from './demo.ts'
import type { Steps } from './steps.ts'

/**
 * What there is to look at afterwards: a Kubernetes stack where there is a cluster, and two open merge requests to review,
 * approve, edit and merge by hand.
 */
export async function leaveWork(hands: DemoHands, steps: Steps, kubeconfig: string | undefined): Promise<void> {
  const { sources, openMr, planned, approveAndMerge, stacksInSync } = hands
  if (kubeconfig === undefined)
    steps.leftOut('a stack on Kubernetes', 'no cluster; npm run tools brings one, --kubeconfig names another')
  else
    await steps.step(
      'add a stack on Kubernetes, which bob approves',
      async () => {
        const number = await openMr('add-shop', 'Run the shop on Kubernetes', sources.addShop(kubeconfig))
        await planned(number)
        await approveAndMerge(number)
        await stacksInSync('waiting for Kubernetes')
        return number
      },
      (number) => `!${number}`,
    )
  const left = [{ branch: 'greet-anew', message: 'Greet visitors anew', files: sources.greetAnew }]
  if (await isThere('ansible-playbook', '--version'))
    left.unshift({
      branch: 'add-motd',
      message: 'Greet who logs in, by Ansible',
      files: sources.addMotd(kubeconfig),
    })
  else steps.leftOut('a merge request for Ansible', 'ansible-playbook')
  for (const { branch, message, files } of left)
    await steps.step(
      `leave a merge request open for you: ${message}`,
      async () => (await planned(await openMr(branch, message, files))).number,
      (number) => `!${number}`,
    )
}
