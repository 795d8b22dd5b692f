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
}

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
    `file_backup_path(Process.uid == 0 ? '/var/chef/backup' : ${at('backup')})`,
    `lockfile '/var/chef/cache/chef-client-running.pid' if Process.uid == 0 && File.directory?('/var/chef/cache')`,
    'log_level :warn',
    'log_location STDOUT',
    `require ${at('trueup_report.rb')}`,
    `event_handlers << TrueupReport.new(${at('report.json')}, ${ruby(settings.salt)}, ${ruby(settings.ignored)})`,
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
