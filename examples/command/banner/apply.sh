#!/bin/sh
set -eu
# What is written must be what was planned: plan again and compare.
./plan.sh > "$TRUEUP_SCRATCH/now" || true
cmp -s "$TRUEUP_SCRATCH/now" "$TRUEUP_PLAN_FILE" || { echo "the target changed after the plan" >&2; exit 1; }

fresh=$(mktemp "$BANNER_FILE.XXXXXX")
cp banner.txt "$fresh"
chmod 644 "$fresh"
mv "$fresh" "$BANNER_FILE"
printf '{"file": "%s"}' "$BANNER_FILE" > "$TRUEUP_OUTPUTS_FILE"
