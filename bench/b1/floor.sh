#!/bin/bash
# Floor of B1: `floor.sh spawn|stream COMMITS PREFIXES ANSWER` in GIT_DIR. `spawn` starts one git per commit, as a hook or a
# webhook handler does; `stream` gives all commits to one git, which no server that learns of them one by one can do.
set -e
mode=$1 commits=$2 prefixes=$3 answer=$4
here=${0%/*}
changes() {
  if [ "$mode" = stream ]; then
    # `git diff-tree --stdin` writes "NEW\n" before the paths of each commit.
    tail -n +2 "$commits" | git diff-tree --stdin -r --name-only | awk 'length($0) == 40 && !/\// { print "@", ++n; next } { print }'
    return
  fi
  number=0 before=
  while read -r commit; do
    if [ -n "$before" ]; then
      echo "@ $((++number))"
      git diff-tree -r --name-only "$before" "$commit"
    fi
    before=$commit
  done <"$commits"
}
changes | awk -f "$here/prefix-match.awk" "$prefixes" - >"$answer"
