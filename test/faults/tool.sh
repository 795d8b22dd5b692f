#!/bin/sh
# A tool with one effect that must not happen twice: a line in a ledger. It knows what is done by a marker that it writes
# after the effect, so a kill between the two leaves an effect that its plan does not see. It waits wherever the harness
# has put a `hold-` file.
set -eu
me="$FAULTS_WORLD/$TRUEUP_STACK"

hold() {
  [ -e "$me/hold-$1" ] || return 0
  echo "$$" >"$me/at-$1.new"
  mv "$me/at-$1.new" "$me/at-$1"
  while [ -e "$me/hold-$1" ]; do sleep 0.15; done
}

if [ "$1" = hold ]; then
  hold "$2"
  exit 0
fi
wanted="$(cat wanted)"
case "$1" in
plan)
  hold plan
  [ "$wanted" != "$(cat "$me/committed" 2>/dev/null || true)" ] || exit 0
  echo "append $wanted $(cat "$me/salt" 2>/dev/null || true)"
  exit 2
  ;;
apply)
  hold begin
  echo "$wanted $TRUEUP_RUN" >>"$me/ledger"
  hold middle
  echo "$wanted" >"$me/committed.new"
  mv "$me/committed.new" "$me/committed"
  hold end
  ;;
verify)
  hold verify
  [ "$wanted" = "$(cat "$me/committed")" ]
  ;;
esac
