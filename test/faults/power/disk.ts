import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../wait.ts'

const MEBIBYTE = 1024 * 1024

/**
 * Nothing reaches the disk because time has passed (`commit`) or because a file was replaced (`noauto_da_alloc`): only what
 * a program has synced is there after the cut.
 */
const MOUNT_OPTIONS = 'loop,commit=300,noauto_da_alloc'

/**
 * Waits for a byte and then calls FS_IOC_SHUTDOWN (linux/fs.h: _IOR('X', 125, __u32)) with EXT4_GOING_FLAGS_NOLOGFLUSH:
 * the journal is not flushed, every later access is an I/O error, as if the disk had gone. Running before the moment, so that the moment
 * is exact.
 */
const CUTTER = `
  open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!";
  $| = 1; print "ready\\n"; sysread(STDIN, my $go, 1) or exit 3;
  my $flags = pack('L', 2);
  print ioctl($file, 0x8004587d, $flags) ? "cut\\n" : "no: $!\\n";
`

/** An ext4 file system in a file, whose power can be cut. Only to be used in a mount namespace of its own. */
export interface Disk {
  readonly path: string
  /** The power is off, or going off: what is acknowledged from now on counts for nothing. */
  readonly off: boolean
  /** How the power is cut here. */
  readonly how: 'ioctl' | 'remount'
  cut(): Promise<void>
  /** The disk takes no writes any more, and can still be read: EROFS to everybody. */
  freeze(): void
  /** After a cut: mounts it again, the journal is recovered, and has it checked. What the check complains of, or null. */
  bringBack(): Promise<string | null>
  close(): Promise<void>
}

export async function openDisk(mebibytes: number): Promise<Disk> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-power-'))
  const [image, path] = [join(directory, 'image'), join(directory, 'disk')]
  await mkdir(path)
  writeFileSync(image, '')
  truncateSync(image, mebibytes * MEBIBYTE)
  execFileSync('mkfs.ext4', ['-q', '-F', image])
  const mount = (): void => void execFileSync('mount', ['-o', MOUNT_OPTIONS, image, path])
  const freeze = (): void => void execFileSync('mount', ['-o', 'remount,abort', path])
  const unmount = (): Promise<void> => until('the disk is unmounted', () => tryUnmount(path))
  mount()
  const mark = join(path, 'mark')
  writeFileSync(mark, '', { flush: true })
  let cutter = await startCutter(mark)
  const state = { off: false, how: 'ioctl' as Disk['how'] }
  return {
    path,
    get off() {
      return state.off
    },
    get how() {
      return state.how
    },
    async cut() {
      state.off = true
      const answer = lineOf(cutter)
      cutter.stdin?.write('x')
      if ((await answer) === 'cut') return
      state.how = 'remount'
      freeze()
    },
    freeze,
    async bringBack() {
      cutter.kill('SIGKILL')
      await unmount()
      mount()
      await unmount()
      const complaint = check(image)
      mount()
      cutter = await startCutter(mark)
      state.off = false
      return complaint
    },
    async close() {
      cutter.kill('SIGKILL')
      await unmount()
      if (isMounted(path)) throw new Error(`${path} is still mounted, and nothing below it is removed`)
      rmdirSync(path)
      rmSync(directory, { recursive: true })
    },
  }
}

async function startCutter(mark: string): Promise<ChildProcess> {
  const cutter = spawn('perl', ['-e', CUTTER, mark], { stdio: ['pipe', 'pipe', 'inherit'] })
  cutter.stdin.on('error', () => {})
  if ((await lineOf(cutter)) !== 'ready') throw new Error('the program that cuts the power does not start')
  return cutter
}

async function lineOf({ stdout }: ChildProcess): Promise<string> {
  const [chunk] = (await once(stdout!, 'data')) as [Buffer]
  return chunk.toString().trim()
}

function check(image: string): string | null {
  try {
    execFileSync('fsck.ext4', ['-f', '-n', image], { stdio: 'pipe' })
    return null
  } catch (thrown) {
    return String((thrown as { stdout?: Buffer }).stdout ?? thrown).slice(0, 500)
  }
}

/** Whoever still holds the disk is ended: nobody outlives a power cut. True when it could be unmounted. */
function tryUnmount(path: string): boolean {
  for (const pid of holdersOf(path)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (thrown) {
      // Seen, and gone by itself since.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
    }
  }
  try {
    execFileSync('umount', [path], { stdio: 'pipe' })
    return true
  } catch {
    return !isMounted(path)
  }
}

export const isMounted = (path: string): boolean =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === path)

/** Processes with a file or their directory on it; only those of our mount namespace can have one. */
function holdersOf(path: string): number[] {
  const inside = (link: string): boolean => {
    try {
      const target = readlinkSync(link)
      return target === path || target.startsWith(`${path}/`)
    } catch {
      return false
    }
  }
  const holds = (pid: string): boolean => {
    if (inside(`/proc/${pid}/cwd`)) return true
    try {
      return existsSync(`/proc/${pid}`) && readdirSync(`/proc/${pid}/fd`).some((fd) => inside(`/proc/${pid}/fd/${fd}`))
    } catch {
      return false
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && holds(name))
    .map(Number)
}
