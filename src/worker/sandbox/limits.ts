import { TrueupError } from '../../lib/errors/error.ts'
import type { ErrorCode } from '../../lib/errors/table.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import type { Limits } from './settings.ts'

/**
 * Shell words that set the limits of the kernel (getrlimit(2)) and become the tool. Where a limit is lower already, setting it
 * fails, and the lower one holds. RLIMIT_DATA and not RLIMIT_AS: Go, Java and V8 reserve far more than they use. The hard
 * limit of time is later than the soft one, whose signal tells what happened. `-p` is dash's word for processes, `-u` that of bash.
 */
export const LIMITED = [
  'lower() { ulimit "$@" 2>/dev/null || :; }',
  'lower -d "$1"; lower -n "$2"; lower -f "$3"; lower -S -t "$4"; lower -H -t "$5"; lower -c 0',
  'ulimit -p "$6" 2>/dev/null || ulimit -u "$6" 2>/dev/null || :',
  'shift 6; exec /usr/bin/env --default-signal=INT "$@"',
].join('\n')

/** `$1` to `$6` of those words: KiB, number, blocks of 512 bytes, seconds twice, number. */
export const limitWords = (limits: Limits): string[] =>
  [limits.memory * 1024, limits.openFiles, limits.fileSize * 2048, limits.cpu, limits.cpu + 5, limits.processes].map(
    String,
  )

export type LimitCode = Extract<ErrorCode, `LIMIT_${string}`>

const WHAT: { [code in LimitCode]: (limits: Limits) => string } = {
  LIMIT_MEMORY: ({ memory }) => `${memory} MiB of memory`,
  LIMIT_PROCESSES: ({ processes }) => `${processes} processes`,
  LIMIT_OPEN_FILES: ({ openFiles }) => `${openFiles} open files of a process`,
  LIMIT_FILE_SIZE: ({ fileSize }) => `${fileSize} MiB of one file`,
  LIMIT_CPU: ({ cpu }) => `${cpu} s of processor time of a process`,
  LIMIT_DISK: ({ disk }) => `${disk} MiB of disk, or too many files`,
}

export const limitError = (code: LimitCode, program: string, limits: Limits): TrueupError =>
  new TrueupError(code, {
    doing: `running ${program} in its sandbox`,
    why: `it went beyond ${WHAT[code](limits)}`,
  })

/** How programs say that the kernel refused them something (errno(3)), in C, Python, Ruby, Go, Node and shells. */
const SAID: readonly [LimitCode, RegExp][] = [
  ['LIMIT_OPEN_FILES', /Too many open files|\bEMFILE\b/i],
  ['LIMIT_FILE_SIZE', /File too large|File size limit exceeded|\bEFBIG\b/i],
  [
    'LIMIT_PROCESSES',
    /Cannot fork|can't start new thread|fork: (retry|Resource)|Resource temporarily unavailable - fork/i,
  ],
  [
    'LIMIT_MEMORY',
    /Cannot allocate memory|\bMemoryError\b|\bENOMEM\b|NoMemoryError|failed to allocate memory|runtime: out of memory/i,
  ],
]

/** 128 and the number of SIGXCPU and SIGXFSZ (signal(7)), as shells and bubblewrap tell the death of a child. */
const BY_SIGNAL: { [exitCode: number]: LimitCode } = { 152: 'LIMIT_CPU', 153: 'LIMIT_FILE_SIZE' }

/** Which limit a tool that failed ran into, as far as its end tells; null where it failed of something else. */
export function limitReached({ exitCode, stderr }: Pick<ProcessResult, 'exitCode' | 'stderr'>): LimitCode | null {
  if (exitCode === 0 || exitCode === null) return null
  return BY_SIGNAL[exitCode] ?? SAID.find(([, words]) => words.test(stderr.slice(-8192)))?.[0] ?? null
}
