import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { TrueupError } from '../errors/error.ts'
import { tellsOfNoRoom } from '../errors/no-room.ts'
import type { ProcessSpec } from './supervise.ts'

/** What the system said when a program could not be started, as an error that names the program and the remedy. */
export function startError(spec: ProcessSpec, thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof TrueupError) return thrown
  const program = spec.argv[0] ?? ''
  const doing = `starting ${program || 'a program'}`
  const { code, syscall } = thrown as NodeJS.ErrnoException
  // What could not be written down before the start (`registry`) says nothing about the program.
  if (syscall !== undefined && !syscall.startsWith('spawn'))
    return new TrueupError(tellsOfNoRoom(thrown) ? 'NO_ROOM' : 'DATA_UNWRITABLE', {
      doing,
      why: thrown.message,
      cause: thrown,
    })
  switch (code ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return notFound(spec, program, doing, thrown)
    case 'EACCES':
    case 'EPERM':
      return notAllowed(spec, program, doing, thrown)
    case 'ENOEXEC':
      return new TrueupError('TOOL_MISSING', {
        doing,
        why: 'the file is no program that this machine can run',
        next: 'Install the build for this system and processor, or give a script its first line (#!/bin/sh).',
        cause: thrown,
      })
    case 'E2BIG':
      return new TrueupError('TOO_LARGE', {
        doing,
        why: `its arguments and environment are ${sizeOf(spec)} bytes, more than the system takes (one value: 128 KiB)`,
        next: 'Hand large values over in a file of the repository instead of a variable or an argument.',
        cause: thrown,
      })
    case 'ERR_INVALID_ARG_VALUE':
    case 'ERR_INVALID_ARG_TYPE':
      return new TrueupError('INVALID_REQUEST', {
        doing,
        why: 'an argument or a variable is empty where it must not be, or holds a NUL byte',
        next: 'Correct the argument or the variable.',
        cause: thrown,
      })
    case 'EAGAIN':
    case 'ENOMEM':
    case 'EMFILE':
    case 'ENFILE':
      return new TrueupError('UNAVAILABLE', {
        doing,
        why: `the system has no process, memory or file handle left for it (${code})`,
        next: 'Lower the number of slots of this worker or raise its limits (ulimit -u, -n; memory).',
        cause: thrown,
      })
    default:
      return new TrueupError('TOOL_MISSING', { doing, why: thrown.message, cause: thrown })
  }
}

function notFound(spec: ProcessSpec, program: string, doing: string, cause: Error): TrueupError {
  if (spec.cwd !== undefined && !isDirectory(spec.cwd))
    return new TrueupError('NOT_FOUND', {
      doing,
      why: `its working directory ${spec.cwd} does not exist`,
      next: "Look at the stack's `path:` in trueup.yaml.",
      cause,
    })
  const file = findProgram(spec, program)
  if (file)
    return new TrueupError('TOOL_MISSING', {
      doing,
      why: `${file} names an interpreter in its first line that does not exist on this worker${interpreterOf(file)}`,
      next: 'Install the interpreter on the worker, or correct the first line of the script.',
      cause,
    })
  const where = program.includes('/')
    ? 'there is no such file'
    : `it is in no directory of PATH (${spec.env.PATH ?? ''})`
  return new TrueupError('TOOL_MISSING', { doing, why: where, cause })
}

function notAllowed(spec: ProcessSpec, program: string, doing: string, cause: Error): TrueupError {
  const file = findProgram(spec, program) ?? program
  const why = isDirectory(file)
    ? `${file} is a directory`
    : 'the file is not executable, or its file system is mounted noexec'
  return new TrueupError('TOOL_MISSING', {
    doing,
    why,
    next: `Make it executable in Git too: git update-index --chmod=+x ${program}`,
    cause,
  })
}

/**
 * libc hands a file of an unknown format to /bin/sh, so a program for another processor ends as a syntax error of the
 * shell. Looks at the header when a program gave up at once with one of the shell's exit codes.
 * @throws TOOL_MISSING when the program is a binary for another processor.
 */
export function explainBadFormat(spec: ProcessSpec, exitCode: number | null, durationMs: number): void {
  if (exitCode === null || ![2, 126, 127].includes(exitCode) || durationMs > 2_000) return
  const program = spec.argv[0] ?? ''
  const file = findProgram(spec, program)
  const built = file && elfMachine(file)
  const here = elfMachine(process.execPath)
  if (!built || !here || built === here) return
  throw new TrueupError('TOOL_MISSING', {
    doing: `starting ${program}`,
    why: `${file} is built for ${built}, and this worker runs on ${here}`,
    next: `Install the build for ${here}.`,
  })
}

const MACHINES: { [id: number]: string } = { 3: 'i386', 40: 'arm', 62: 'x86-64', 183: 'arm64', 243: 'riscv64' }

/** Processor of an ELF file (elf(5): e_machine at byte 18), null for anything else. */
function elfMachine(file: string): string | null {
  const header = firstBytes(file, 20)
  if (header.length < 20 || header.readUInt32BE(0) !== 0x7f454c46) return null
  const id = header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)
  return MACHINES[id] ?? `processor type ${id}`
}

function interpreterOf(file: string): string {
  const line = firstBytes(file, 200).toString('utf8').split('\n')[0] ?? ''
  return line.startsWith('#!') ? ` (${line.trimEnd()})` : ''
}

function firstBytes(file: string, count: number): Buffer {
  try {
    const handle = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(count)
      return bytes.subarray(0, readSync(handle, bytes, 0, count, 0))
    } finally {
      closeSync(handle)
    }
  } catch {
    return Buffer.alloc(0)
  }
}

/** Where the system would find the program, or null. */
function findProgram(spec: ProcessSpec, program: string): string | null {
  const base = spec.cwd ?? process.cwd()
  const candidates = program.includes('/')
    ? [isAbsolute(program) ? program : resolve(base, program)]
    : (spec.env.PATH ?? '').split(delimiter).map((directory) => join(resolve(base, directory), program))
  return candidates.find(exists) ?? null
}

function exists(file: string): boolean {
  try {
    accessSync(file, constants.F_OK)
    return true
  } catch {
    return false
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function sizeOf(spec: ProcessSpec): number {
  const texts = [...spec.argv, ...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`)]
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)
}
