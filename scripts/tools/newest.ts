import { canInstallPackages } from './debian.ts'
import { makeDebianRoot } from './debian-root.ts'
import { buildGoProgram, canBuildGo, type GoProgram } from './go-module.ts'
import { findPython, installPythonPrograms } from './python-venv.ts'

/** What it changes in the environment of a test run that is to use it. */
export interface Provided {
  /** Directory of programs that comes before PATH. */
  path?: string
  env?: { [name: string]: string }
}

/** One part of a newest set: how it comes onto this machine. */
interface Part {
  what: string
  /** Why it cannot be had on this machine; null where it can. */
  missing: () => string | null
  /** What was made once is found again. Throws with the reason where it does not work. */
  install: () => Provided
}

/** The newest versions of the tools of one driver, beside the oldest ones that `npm run tools` puts on PATH. */
export interface NewestSet {
  driver: string
  parts: readonly Part[]
}

const go = (what: string, program: GoProgram): Part => ({
  what,
  missing: () => (canBuildGo() ? null : 'needs Go 1.21 or newer on PATH'),
  install: () => ({ path: buildGoProgram(program) }),
})

const ansible = (version: string, python: number): Part => ({
  what: `ansible-core ${version} of PyPI`,
  missing: () => (findPython(python) === null ? `needs Python 3.${python} or newer with venv` : null),
  install: () => ({
    path: installPythonPrograms({ name: `ansible-core-${version}`, packages: [`ansible-core==${version}`], python }),
  }),
})

/** The first of them that this machine can have. */
function firstOf(first: Part, second: Part): Part {
  const chosen = (): Part => (first.missing() === null ? first : second)
  return {
    what: `${first.what}, else ${second.what}`,
    missing: () => chosen().missing(),
    install: () => chosen().install(),
  }
}

/** Hosts that are Debian 13, with its Python and Puppet 8. */
const DEBIAN_13: Part = {
  what: 'hosts of Debian 13',
  missing: () => (canInstallPackages() ? null : 'needs root on Debian, for debootstrap'),
  install: () => ({ env: { TEST_HOSTS_ROOT: makeDebianRoot({ suite: 'trixie', packages: ['puppet-agent'] }) } }),
}

const KUBERNETES = 'v1.36.2'
const kubernetes = (name: string): Part =>
  go(`${name} of Kubernetes 1.36`, {
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

/** Looked up in November 2026. What takes long to make comes last. */
export const NEWEST: readonly NewestSet[] = [
  { driver: 'ansible', parts: [firstOf(ansible('2.21.5', 12), ansible('2.19.14', 11)), DEBIAN_13] },
  { driver: 'puppet', parts: [DEBIAN_13] },
  {
    driver: 'terraform',
    parts: [
      go('OpenTofu 1.12', {
        name: 'tofu',
        module: 'github.com/opentofu/opentofu',
        version: 'v1.12.6',
        package: 'github.com/opentofu/opentofu/cmd/tofu',
        stamp: { 'github.com/opentofu/opentofu/version.dev': 'no' },
      }),
    ],
  },
  {
    driver: 'kubernetes',
    parts: [
      go('Kustomize 5.8', {
        name: 'kustomize',
        module: 'sigs.k8s.io/kustomize/kustomize/v5',
        version: 'v5.8.1',
        package: 'sigs.k8s.io/kustomize/kustomize/v5',
        stamp: { 'sigs.k8s.io/kustomize/api/provenance.version': 'v5.8.1' },
      }),
      go('Helm 4', {
        name: 'helm',
        module: 'helm.sh/helm/v4',
        version: 'v4.3.2',
        package: 'helm.sh/helm/v4/cmd/helm',
        stamp: { 'helm.sh/helm/v4/internal/version.version': 'v4.3.2' },
      }),
      kubernetes('kubectl'),
      kubernetes('kube-controller-manager'),
      kubernetes('kube-apiserver'),
    ],
  },
]

/**
 * Everything of a set, or why it cannot be had here. `report` is told of each part before it is made: some take minutes.
 */
export function provideNewest(set: NewestSet, report: (what: string) => void): Provided | { missing: string } {
  const missing = set.parts.map((part) => ({ part, why: part.missing() })).find(({ why }) => why !== null)
  if (missing) return { missing: `${missing.part.what} ${missing.why}` }
  const provided = set.parts.map((part) => {
    report(part.what)
    return part.install()
  })
  const paths = provided.flatMap(({ path }) => (path === undefined ? [] : [path]))
  return {
    ...(paths.length > 0 && { path: paths.join(':') }),
    env: Object.assign({}, ...provided.map(({ env }) => env)) as { [name: string]: string },
  }
}
