/** What the driver runs on a host, in POSIX shell. */

/**
 * Puppet's directories, all private to the run. It would make those below `var` by itself, but not where the path begins with
 * /dev, as workspaces in /dev/shm do (puppet/settings.rb takes all of that for devices). The stack becomes a directory environment by links, so that its functions,
 * types and libraries are found as ever. Not its environment.conf, which may name a program to run, and not its hiera.yaml,
 * whose paths go out from where it really lies.
 * Arguments: private directory, the stack's directory, name of the environment.
 */
export const PREPARE = `
mkdir -p "$1/code/environments/$3" "$1/conf" "$1/public" "$1/log" "$1/run" "$1/facts.d" || exit 1
for each in state/graphs lib facts.d locales client_data client_yaml clientbucket preview reports; do
  mkdir -p "$1/var/$each" || exit 1
done
for each in "$2"/*; do
  case $each in */environment.conf | */hiera.yaml) ;; *) [ -e "$each" ] && ln -s "$each" "$1/code/environments/$3/" ;; esac
done
exit 0
`

/** Settings of the host's own Puppet that matter: its lock, and where it keeps what it overwrites. */
export const HOST_SETTINGS = ['agent_catalog_run_lockfile', 'clientbucketdir', 'statefile'] as const

/** A dry run. Beside it the host's own settings are read. Arguments: puppet, private directory, arguments of puppet. */
export const PLAN = `
puppet=$1; dir=$2; shift 2
rm -f "$dir/log.json" "$dir/var/state/last_run_report.yaml"
[ -s "$dir/settings" ] || "$puppet" config print ${HOST_SETTINGS.join(' ')} >"$dir/settings" 2>/dev/null </dev/null &
"$puppet" "$@" </dev/null
code=$?
wait
lock=$(sed -n 's/^agent_catalog_run_lockfile = //p' "$dir/settings")
pid=$(cat "$lock" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "trueup-running $pid"
exit $code
`

/** Exit code of APPLY when another run holds the lock to the end of the wait. */
export const LOCKED = 75

/**
 * An apply under the lock of the host's own Puppet, so that neither a run of its agent nor of cron comes between. The lock
 * holds the id of a process of Puppet (puppet/util/pidlock.rb), so the shell that takes it becomes that process.
 * Arguments: puppet, private directory, lock or '', seconds to wait, arguments of puppet.
 */
export const APPLY = `
puppet=$1; dir=$2; lock=$3; left=$4; shift 4
rm -f "$dir/log.json" "$dir/var/state/last_run_report.yaml"
[ -n "$lock" ] && [ -d "\${lock%/*}" ] || lock=
trap : INT TERM
sh -c '
  lock=$1; left=$2; dir=$3; shift 3
  while [ -n "$lock" ] && ! (set -C; echo $$ >"$lock") 2>/dev/null; do
    pid=$(cat "$lock" 2>/dev/null)
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then rm -f "$lock"; continue; fi
    if [ "$left" -le 0 ]; then
      echo "trueup-locked $pid $(ps -p "$pid" -o args= 2>/dev/null)"
      exit ${LOCKED}
    fi
    left=$((left - 1)); sleep 1
  done
  echo $$ >"$dir/pid"
  exec "$@"
' sh "$lock" "$left" "$dir" "$puppet" "$@" </dev/null
code=$?
[ -n "$lock" ] && [ "$(cat "$lock" 2>/dev/null)" = "$(cat "$dir/pid" 2>/dev/null)" ] && rm -f "$lock"
exit $code
`
