#!/bin/bash
# Floors of B2: `floor.sh WAY PAIRS TARGET` in GIT_DIR. PAIRS holds lines "COMMIT PATH"; line n is made ready in TARGET/n/PATH.
set -e
way=$1 pairs=$2 target=$3
repository=$GIT_DIR
number=0
while read -r commit path; do
  at=$target/$((number++))
  case $way in
    clone)
      # What a fetch of one commit costs; the file:// transport, because a path would make hard links.
      env -u GIT_DIR git init --quiet "$at"
      env -u GIT_DIR git -C "$at" fetch --quiet --depth 1 "file://$repository" "$commit"
      env -u GIT_DIR git -C "$at" checkout --quiet FETCH_HEAD
      ;;
    worktree)
      git worktree add --quiet --detach "$at" "$commit"
      ;;
    sparse)
      git worktree add --quiet --detach --no-checkout "$at" "$commit"
      env -u GIT_DIR git -C "$at" sparse-checkout set "$path"
      env -u GIT_DIR git -C "$at" checkout --quiet
      ;;
    read-tree)
      # Only the stack's own tree goes into an index of its own, which then is checked out.
      mkdir -p "$at/$path"
      GIT_INDEX_FILE=$at/.index git read-tree "$commit:$path"
      GIT_INDEX_FILE=$at/.index GIT_WORK_TREE=$at/$path git checkout-index --all
      rm "$at/.index"
      ;;
    archive)
      mkdir -p "$at"
      git archive "$commit" "$path" | tar -x -C "$at"
      ;;
  esac
done <"$pairs"
