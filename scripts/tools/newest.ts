import { isMade } from './cache.ts'
import { canInstallPackages } from './debian.ts'
import { type DebianRoot, debianRootName, makeDebianRoot } from './debian-root.ts'
import { buildGoProgram, canBuildGo, type GoProgram, goProgramName } from './go-module.ts'
import { canProvidePython, installPythonPrograms, pythonProgramsName } from './python-venv.ts'
import { programsOfRoot } from './root-programs.ts'

/** What it changes in the environment of a test run that is to use it. */
export interface Provided {
  /** Directory of programs that comes before PATH. */
  path?: string
  env?: { [name: string]: string }
}

/** One part of a newest set: how it comes onto this machine. */
interface Part {
  what: string
  /** Word in the names of the suites that it makes a difference to; all of the driver's where there is none. */
  concerns?: string
  /** What making it takes on two cores that do nothing else. */
  minutes: number
  /** Whether it was made before. */
  made: () => boolean
  /** Why it cannot be had on this machine; null where it can. */
  missing: () => string | null
  /** What was made once is found again. Throws with the reason where it does not work or takes longer than that. */
  install: (timeoutMs: number) => Provided
}

/** The newest versions of the tools of one driver, beside the oldest ones that `npm run tools` puts on PATH. */
export interface NewestSet {
  driver: string
  parts: readonly Part[]
  /** Of a distribution that is still in the making: what is in it tomorrow is another version. Only the matrix asks for it. */
  unreleased?: true
}

/** What the slowest part may take. */
const LONGEST_MS = 90 * 60_000

const go = (what: string, minutes: number, program: GoProgram, concerns?: string): Part => ({
  what,
  ...(concerns !== undefined && { concerns }),
  minutes,
  made: () => isMade(goProgramName(program)),
  missing: () => (canBuildGo() ? null : 'needs Go 1.21 or newer on PATH'),
  install: (timeoutMs) => ({ path: buildGoProgram(program, timeoutMs) }),
})

const ansible = (version: string, python: number): Part => ({
  what: `ansible-core ${version} of PyPI`,
  minutes: 1,
  made: () => isMade(pythonProgramsName(`ansible-core-${version}`)),
  missing: () => (!canProvidePython(python) ? `needs Python 3.${python} or newer with venv` : null),
  install: (timeoutMs) => ({
    path: installPythonPrograms(
      { name: `ansible-core-${version}`, packages: [`ansible-core==${version}`], python },
      timeoutMs,
    ),
  }),
})

/** The first of them that this machine can have. */
function firstOf(first: Part, second: Part): Part {
  const chosen = (): Part => (first.missing() === null ? first : second)
  return {
    what: `${first.what}, else ${second.what}`,
    minutes: Math.max(first.minutes, second.minutes),
    made: () => chosen().made(),
    missing: () => chosen().missing(),
    install: (timeoutMs) => chosen().install(timeoutMs),
  }
}

const TRIXIE: DebianRoot = { suite: 'trixie', packages: ['puppet-agent'] }
/** Hosts that are Debian 13, with its Python and Puppet 8. */
const DEBIAN_13: Part = {
  what: 'hosts of Debian 13',
  minutes: 2,
  made: () => isMade(debianRootName(TRIXIE)),
  missing: () => (canInstallPackages() ? null : 'needs root on Debian, for debootstrap'),
  install: (timeoutMs) => ({
    env: { TEST_HOSTS_ROOT: makeDebianRoot(TRIXIE, timeoutMs) },
  }),
}

const SID: DebianRoot = { suite: 'sid', packages: ['ansible-core', 'openssh-client', 'openvox-agent'] }
/** Hosts of Debian unstable, which has what its next release will have, and the programs of it that drivers start. */
const DEBIAN_SID: Part = {
  what: 'ansible-core and OpenSSH of Debian sid, and hosts of it with OpenVox',
  minutes: 4,
  made: () => isMade(debianRootName(SID)),
  missing: () => (canInstallPackages() ? null : 'needs root on Debian, for debootstrap'),
  install: (timeoutMs) => {
    const root = makeDebianRoot(SID, timeoutMs)
    return { path: programsOfRoot(root, 'ansible*'), env: { TEST_HOSTS_ROOT: root } }
  },
}

const newestChef = (): string | undefined => process.env.TRUEUP_TEST_CHEF_NEWEST
/** A client that a person has: Debian has none and Chef's packages are in no registry of `npm run tools`. */
const NAMED_CHEF: Part = {
  what: 'a Chef client of today',
  minutes: 0,
  made: () => newestChef() !== undefined,
  missing: () => (newestChef() === undefined ? 'needs TRUEUP_TEST_CHEF_NEWEST to name its program' : null),
  install: () => ({ env: { TRUEUP_TEST_CHEF: newestChef()! } }),
}

const KUBERNETES = 'v1.36.2'
const kubernetesProgram = (name: string): GoProgram => ({
  name,
  module: 'k8s.io/kubernetes',
  version: KUBERNETES,
  package: `k8s.io/kubernetes/cmd/${name}`,
  stamp: {
    'k8s.io/component-base/version.gitVersion': KUBERNETES,
    'k8s.io/component-base/version.gitMajor': '1',
    'k8s.io/component-base/version.gitMinor': '36',
  },
})

/** What the tests of Kubernetes need beside etcd, at the version of today. */
export const kubernetesPrograms = (): GoProgram[] =>
  ['kubectl', 'kube-controller-manager', 'kube-apiserver'].map(kubernetesProgram)

/** Looked up in November 2026. What takes long to make comes last. */
export const NEWEST: readonly NewestSet[] = [
  { driver: 'ansible', parts: [firstOf(ansible('2.21.5', 12), ansible('2.19.14', 11)), DEBIAN_13] },
  { driver: 'puppet', parts: [DEBIAN_13] },
  { driver: 'ansible', parts: [DEBIAN_SID], unreleased: true },
  { driver: 'puppet', parts: [DEBIAN_SID], unreleased: true },
  { driver: 'chef', parts: [NAMED_CHEF] },
  {
    driver: 'terraform',
    parts: [
      go(
        'OpenTofu 1.12',
        5,
        {
          name: 'tofu',
          module: 'github.com/opentofu/opentofu',
          version: 'v1.12.6',
          package: 'github.com/opentofu/opentofu/cmd/tofu',
          stamp: { 'github.com/opentofu/opentofu/version.dev': 'no' },
        },
        'OpenTofu',
      ),
    ],
  },
  {
    driver: 'kubernetes',
    parts: [
      go(
        'Kustomize 5.8',
        1,
        {
          name: 'kustomize',
          module: 'sigs.k8s.io/kustomize/kustomize/v5',
          version: 'v5.8.1',
          package: 'sigs.k8s.io/kustomize/kustomize/v5',
          stamp: { 'sigs.k8s.io/kustomize/api/provenance.version': 'v5.8.1' },
        },
        'Kustomize',
      ),
      go(
        'Helm 4',
        4,
        {
          name: 'helm',
          module: 'helm.sh/helm/v4',
          version: 'v4.3.2',
          package: 'helm.sh/helm/v4/cmd/helm',
          stamp: { 'helm.sh/helm/v4/internal/version.version': 'v4.3.2' },
        },
        'Helm',
      ),
      ...kubernetesPrograms().map((program) => go(`${program.name} of Kubernetes 1.36`, 8, program)),
    ],
  },
]

/** What of a set this machine has, and what it lacks, each with the reason. */
export interface NewestTools {
  provided: Provided
  /** How many parts were had. */
  parts: number
  /** Pattern of the names of the suites that they make a difference to; all where there is none. */
  only?: string
  missing: string[]
}

/**
 * Makes the parts of a set that can be had here; the driver then runs on these and the older ones of the rest. `report` is
 * told of each part before it is made: some take minutes. What would not be made by the time `until` is not begun, and what
 * is not made then is given up: both are named.
 */
export function provideNewest(
  set: NewestSet,
  report: (what: string) => void,
  until: number = Date.now() + LONGEST_MS,
): NewestTools {
  const had: Provided[] = []
  const concerned: (string | undefined)[] = []
  const missing: string[] = []
  for (const part of set.parts) {
    const left = until - Date.now()
    const why = part.made() ? null : (part.missing() ?? tooLong(part, left))
    if (why !== null) {
      missing.push(`${part.what} ${why}`)
      continue
    }
    report(part.what)
    try {
      had.push(part.install(Math.max(1, left)))
      concerned.push(part.concerns)
    } catch (error) {
      missing.push(`${part.what} was not made${isTimeOut(error) ? ' in time' : `: ${lastLine(error)}`}`)
    }
  }
  const paths = had.flatMap(({ path }) => (path === undefined ? [] : [path]))
  const env = Object.assign({}, ...had.map((one) => one.env)) as { [name: string]: string }
  return {
    provided: { ...(paths.length > 0 && { path: paths.join(':') }), env },
    parts: had.length,
    ...(!concerned.includes(undefined) && { only: concerned.join('|') }),
    missing,
  }
}

const tooLong = ({ minutes }: Part, left: number): string | null =>
  left < minutes * 60_000 ? `would take ${minutes} min, which are not left` : null

/** Node's own word of a program that it ended. */
function isTimeOut(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return code === 'ETIMEDOUT' || (cause !== undefined && isTimeOut(cause))
}

/** What a program said last of what went wrong. */
function lastLine(error: unknown): string {
  const said = (error as { stderr?: unknown }).stderr
  const text =
    typeof said === 'string' && said.trim() !== '' ? said : error instanceof Error ? error.message : String(error)
  return text.trim().split('\n').at(-1) ?? ''
}
