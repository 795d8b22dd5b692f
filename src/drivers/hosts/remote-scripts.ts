/**
 * What runs on a host, in plain POSIX shell: nothing has to be installed there but `sh`, `tar` and `mktemp`.
 */

/** Where packages of Puppet and Chef put their programs, which is on no PATH of a session without a login. */
export const EXTRA_PATH = [
  '/opt/puppetlabs/bin',
  '/opt/chef/bin',
  '/opt/cinc/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
]

/**
 * The first session of a connection. It makes the private directory, says where, and waits. A line on its standard input, or
 * the end of it (the worker closed the connection, or died, or the network did), ends what still runs here and removes the
 * directory: the host clears up after itself, whatever became of the worker.
 */
export const KEEPER = `
umask 077
trap '' HUP PIPE INT
dir=$(mktemp -d "\${TMPDIR:-/tmp}/trueup.XXXXXXXXXX") || exit 97
mkdir "$dir/.groups" "$dir/src" || exit 97
printf 'trueup-directory %s\\n' "$dir"
read -r _
pause() { sleep 0.1 2>/dev/null || sleep 1; }
signal() { for each in "$dir"/.groups/*; do [ -e "$each" ] && kill "$1" "-\${each##*/}" 2>/dev/null && alive=yes; done; }
alive=no; signal -TERM
n=0
while [ "$alive" = yes ] && [ "$n" -lt 100 ]; do pause; n=$((n + 1)); alive=no; signal -0; done
[ "$alive" = yes ] && signal -KILL
rm -rf "$dir"
`

/**
 * Runs a program in the host's private directory: arguments are that directory, the working directory, and the program. Its
 * process group is written down for the keeper as long as it runs.
 */
export const RUNNER = `
dir=$1; cwd=$2; shift 2
PATH="$PATH:${EXTRA_PATH.join(':')}"; export PATH
[ -r "$dir/.env" ] && . "$dir/.env"
group=$$
[ -r /proc/$$/stat ] && read -r _ _ _ _ group _ </proc/$$/stat
: >"$dir/.groups/$group" || exit 97
cd "$cwd" || exit 97
"$@"
code=$?
rm -f "$dir/.groups/$group"
exit $code
`

/**
 * Runs a program so that a signal ends everything it has started. Puppet and Chef give each command a session of its own,
 * where no signal to their group arrives, and leave it behind when they end. So the program gets a session too, and the
 * shell here stays between it and the signals: it looks up the tree of processes while there still is one. Services that
 * were started meanwhile have left the tree, and stay. Killed itself, it takes the program along (PR_SET_PDEATHSIG).
 */
export const GUARD = `
exec 3<&0
if command -v setpriv >/dev/null 2>&1 && command -v setsid >/dev/null 2>&1; then
  setpriv --pdeathsig KILL setsid "$@" <&3 3<&- &
elif command -v setsid >/dev/null 2>&1; then
  setsid "$@" <&3 3<&- &
else
  "$@" <&3 3<&- &
fi
root=$!
parents() {
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    set -- \${line##*) }
    echo "\${line%% *}:$2"
  done
}
tree() {
  found=" $root "
  all=$(parents)
  again=yes
  while [ "$again" = yes ]; do
    again=no
    for each in $all; do
      case $found in *" \${each%:*} "*) continue ;; esac
      case $found in *" \${each#*:} "*) found="$found\${each%:*} "; again=yes ;; esac
    done
  done
}
alive() { for each in $found; do kill -0 "$each" 2>/dev/null && return 0; done; return 1; }
end() {
  trap '' INT TERM HUP
  tree
  kill -TERM $found 2>/dev/null
  n=0
  while alive && [ "$n" -lt 80 ]; do sleep 0.1 2>/dev/null || sleep 1; n=$((n + 1)); done
  kill -KILL $found 2>/dev/null
  ended=yes
}
trap end INT TERM HUP
wait "$root"
code=$?
[ -n "$ended" ] && exit 143
exit $code
`
