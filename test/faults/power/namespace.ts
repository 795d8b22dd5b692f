import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const SCRATCH = `
set -e
scratch="$(mktemp -d)"
trap 'umount "$scratch/disk" 2>/dev/null || true; rm -f "$scratch/image"; rmdir "$scratch/disk" "$scratch"' EXIT
mkdir "$scratch/disk"
truncate -s 8M "$scratch/image"
mkfs.ext4 -q -F "$scratch/image"
mount -o loop "$scratch/image" "$scratch/disk"
perl -e 1
command -v fsck.ext4 >/dev/null
`

/** Why the power of no disk can be cut here, in words; null where it can. */
export function whyNoPower(): string | null {
  if (process.platform !== 'linux') return 'Linux'
  if (process.getuid?.() !== 0) return 'root'
  const tried = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', SCRATCH], { encoding: 'utf8' })
  if (tried.status === 0) return null
  const said = (tried.stderr ?? '').trim().split('\n').at(-1)
  return `unshare, perl, mkfs.ext4 and loop devices (${tried.error?.message ?? said})`
}

/** Runs the rounds in a mount namespace of their own: nobody else ever sees the disk. Its last line is the verdict. */
export async function inNamespace(argv: readonly string[], say: (line: string) => void): Promise<number | null> {
  const words = ['--mount', '--propagation', 'private', process.execPath, '--disable-warning=ExperimentalWarning', MAIN]
  const child = spawn('unshare', [...words, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8')
  let rest = ''
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) say(line)
  })
  return await new Promise((resolve) => child.once('close', (code) => resolve(code)))
}
