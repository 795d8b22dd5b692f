import type { JsonObject } from '../../../lib/json.ts'

export interface ClientSettings {
  /** Absolute on the host. */
  directory: string
  cookbookPath: string[]
  roles: string | null
  dataBags: string | null
  /** Makes hashes of secrets useless outside of Trueup. */
  salt: string
  /** Properties that the ignore rules cover, by resource. */
  ignored: { [resource: string]: string[] }
  whyRun: boolean
}

/** The Ruby files beside client.rb that witness the run; the first is the one to load. */
export const PLUGINS = ['trueup_report.rb', 'trueup_conceal.rb', 'trueup_properties.rb'] as const

/**
 * The host's own names: `/var/chef` and `chef-client`, of Cinc `/var/cinc` and `cinc-client`. The lock is where the host's
 * service has it by default, whether or not a service has run yet: Chef makes the directory. Two stacks on one host wait for
 * each other by it; for users other than root it lies in their home.
 */
const NAMES = [
  'names = [(ChefUtils::Dist::Infra if defined?(ChefUtils::Dist::Infra)), (Chef::Dist if defined?(Chef::Dist))].compact',
  "suffix = names.map { |each| each::DIR_SUFFIX if each.const_defined?(:DIR_SUFFIX) }.compact.first || 'chef'",
  "client = names.map { |each| each::CLIENT if each.const_defined?(:CLIENT) }.compact.first || 'chef-client'",
  'var = Process.uid == 0 ? "/var/#{suffix}" : File.join(Dir.home, ".#{suffix}")',
]

/**
 * The client.rb of one run: nothing of the host's own configuration is used. What Chef keeps goes into the run's private
 * directory, except backups of the files it overwrites and its lock, which are the host's own, so that a run of its own
 * service does not come between.
 */
export function clientRb(settings: ClientSettings): string {
  const { directory } = settings
  const at = (name: string): string => ruby(`${directory}/${name}`)
  return [
    `cookbook_path ${ruby(settings.cookbookPath)}`,
    ...(settings.roles === null ? [] : [`role_path ${ruby(settings.roles)}`]),
    ...(settings.dataBags === null ? [] : [`data_bag_path ${ruby(settings.dataBags)}`]),
    `node_path ${at('nodes')}`,
    `file_cache_path ${at('cache')}`,
    ...NAMES,
    `file_backup_path(Process.uid == 0 ? File.join(var, 'backup') : ${at('backup')})`,
    'lockfile File.join(var, \'cache\', "#{client}-running.pid")',
    // A plan installs nothing; the run does.
    ...(settings.whyRun ? ['skip_gem_metadata_installation true'] : []),
    'log_level :warn',
    'log_location STDOUT',
    `require ${at('trueup_report.rb')}`,
    `event_handlers << TrueupReport.new(${at('report.json')}, ${ruby(settings.salt)}, ${ruby(settings.ignored)}, ${settings.whyRun})`,
    '',
  ].join('\n')
}

/** A value as Ruby writes it; in single quotes, where nothing is interpolated. */
function ruby(value: string | string[] | { [key: string]: string[] }): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.map(ruby).join(', ')}]`
  return `{${Object.entries(value)
    .map(([key, each]) => `${ruby(key)} => ${ruby(each)}`)
    .join(', ')}}`
}

/** What `-j` gives to the node. */
export const nodeJson = (runList: readonly string[], attributes: JsonObject, trueup: JsonObject): string =>
  JSON.stringify({ ...attributes, trueup, run_list: runList.map(item) })

const item = (entry: string): string => (entry.includes('[') ? entry : `recipe[${entry}]`)
