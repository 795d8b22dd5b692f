import { readdir, readFile } from 'node:fs/promises'

/**
 * Command lines of the processes of this machine that carry `text` in their arguments or environment: a run's tools do, as
 * their HOME is its scratch directory. Processes of others, which cannot be read, are left out. Linux only.
 */
export async function processesNaming(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      )
      return `${command}${environment}`.includes(text) ? [`${pid} ${command!.replaceAll('\0', ' ').trim()}`] : []
    }),
  )
  return found.flat()
}
