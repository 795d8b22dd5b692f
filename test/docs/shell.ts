import { type ChildProcess, spawn } from 'node:child_process'

/** A shell that keeps its variables and directory from one piece of script to the next, as a person's terminal does. */
export interface Shell {
  /** Runs a piece and gives what it printed. Throws with the output when one of its commands ends with an error. */
  run(script: string): Promise<string>
  close(): void
}

export function openShell(options: { cwd: string; env: NodeJS.ProcessEnv }): Shell {
  const child: ChildProcess = spawn('bash', ['-e'], { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let heard = (): void => {}
  const hear = (chunk: Buffer): void => {
    output += chunk.toString()
    heard()
  }
  child.stdout!.on('data', hear)
  child.stderr!.on('data', hear)
  let pieces = 0
  return {
    async run(script) {
      const mark = `end of piece ${++pieces}`
      output = ''
      child.stdin!.write(`${script}\necho; echo '${mark}'\n`)
      return await new Promise((resolve, reject) => {
        heard = () => output.includes(`\n${mark}\n`) && resolve(output)
        child.once('close', () => reject(new Error(`the shell ended:\n${script}\n${output}`)))
      })
    },
    close: () => void child.kill('SIGKILL'),
  }
}
