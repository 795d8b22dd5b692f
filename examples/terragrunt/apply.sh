#!/bin/sh
# Applies exactly the plan file that plan.py of the same run has made, and hands on the outputs.
set -eu
tool=${TERRAGRUNT:-terragrunt}
"$tool" apply -input=false -no-color "$TRUEUP_SCRATCH/tfplan"
"$tool" output -json | python3 -c '
import json, sys
outputs = json.load(sys.stdin)
json.dump({name: {"value": one["value"], "sensitive": one["sensitive"]} for name, one in outputs.items()}, sys.stdout)
' >"$TRUEUP_OUTPUTS_FILE"
