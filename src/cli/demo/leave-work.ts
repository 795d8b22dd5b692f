import { type DemoHands, isThere } from './demo.ts'
import type { Steps } from './steps.ts'

/** Two open merge requests for who looks around afterwards: to review, approve, edit and merge by hand. */
export async function leaveWork({ sources, openMr, planned }: DemoHands, steps: Steps): Promise<void> {
  const left = [{ branch: 'greet-anew', message: 'Greet visitors anew', files: sources.greetAnew }]
  if (await isThere('ansible-playbook', '--version'))
    left.unshift({ branch: 'add-motd', message: 'Greet who logs in, by Ansible', files: sources.addMotd })
  for (const { branch, message, files } of left)
    await steps.step(
      `leave a merge request open for you: ${message}`,
      async () => (await planned(await openMr(branch, message, files))).number,
      (number) => `!${number}`,
    )
}
