import type { Finding } from '../../../domain/plans/plan.ts'
import type { ListFiles, ReadFile } from '../../driver.ts'
import type { PuppetSource } from './source.ts'

/** The first major version whose catalogs are compiled without them. */
export const WITHOUT_LEGACY_FACTS = 8

/** Beyond so many it is a list that nobody reads. */
const MAX_FINDINGS = 20

/**
 * Facts that Puppet 8 no longer has unless the host's own Puppet includes them; `$facts['osfamily']` is empty there without
 * a word. Source: https://www.puppet.com/docs/puppet/8/core_facts.html, "Legacy facts".
 */
const LEGACY = new RegExp(
  `^(${[
    'architecture',
    'augeasversion',
    'blockdevices',
    'blockdevice_\\w+',
    'boardassettag|boardmanufacturer|boardproductname|boardserialnumber',
    'bios_(release_date|vendor|version)',
    'chassisassettag|chassistype',
    'dhcp_servers',
    'domain|fqdn|hostname',
    'gid|id',
    'hardwareisa|hardwaremodel',
    'interfaces',
    '(ipaddress|ipaddress6|macaddress|mtu|netmask|netmask6|network|network6|scope6)(_\\w+)?',
    'ldom_\\w+',
    'lsbdist(codename|description|id|release)|lsb(majdistrelease|minordistrelease|release)',
    'macosx_\\w+',
    'manufacturer|productname|serialnumber|uuid',
    'memory(free|size)(_mb)?|swap(encrypted|free|size)(_mb)?',
    'operatingsystem|operatingsystemmajrelease|operatingsystemrelease|osfamily',
    'physicalprocessorcount|processor\\d+|processorcount',
    'rubyplatform|rubysitedir|rubyversion',
    'selinux(_\\w+)?',
    'sp_\\w+',
    'ssh\\w+key|sshfp_\\w+',
    'system32',
    'uptime|uptime_(days|hours|seconds)',
    'windows_(display_version|edition_id|installation_type|product_name|release_id)',
    'xendomains',
    'zone_\\w+|zones',
  ].join('|')})$`,
)

/** `$facts['osfamily']`, `$::facts["osfamily"]`, `@facts['osfamily']`, `scope['facts']['osfamily']`, `facts.osfamily` of Hiera. */
const USE =
  /(?:[$@]|\$::|scope\[['"](?:::)?)facts(?:['"]\])?\s*\[\s*['"](\w+)['"]\s*\]|%\{(?:::)?facts\.(\w+)\}|%\{(?:::)(\w+)\}/g

/** Each legacy fact that the stack's own files read, once a file, with its line. `list` and `read`: of the repository. */
export async function legacyFacts(source: PuppetSource, read: ReadFile, list: ListFiles): Promise<Finding[]> {
  const under = await Promise.all([source.manifest, ...source.modulepath].map((path) => list(path)))
  const single = source.manifest.endsWith('.pp') ? [source.manifest] : []
  const files = [
    ...new Set([...single, ...under.flat().filter((file) => /\.(pp|epp|erb)$/.test(file)), ...hiera(source)]),
  ]
  const findings: Finding[] = []
  for (const path of files) {
    const text = (await read(path))?.toString('utf8') ?? ''
    for (const [name, line] of usesIn(text)) {
      if (findings.length === MAX_FINDINGS) return findings
      findings.push({
        severity: 'warning',
        code: 'legacy_fact',
        message: `the fact "${name}" is empty since Puppet ${WITHOUT_LEGACY_FACTS}, without an error: use the structured fact that replaces it (for example \`$facts['os']['family']\` for "osfamily")`,
        path,
        line,
      })
    }
  }
  return findings
}

const hiera = (source: PuppetSource): string[] => (source.hiera === null ? [] : [source.hiera])

/** Names and the line where each is first read. Comments of a whole line do not count. */
function usesIn(text: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*#/.test(line)) continue
    for (const [, ...names] of line.matchAll(USE)) {
      const name = names.find((each) => each !== undefined)!
      if (LEGACY.test(name) && !found.has(name)) found.set(name, index + 1)
    }
  }
  return found
}
