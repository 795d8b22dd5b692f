#!/usr/bin/env python3
"""Plans a Terragrunt unit: the plan file waits in the run's scratch directory, stdout is what Trueup reads.

Values are left out: which of them are secret stands apart from them, and an approval of addresses and actions is what
most people give. Needs nothing but Python 3.8.
"""
import json
import os
import subprocess
import sys

TOOL = os.environ.get("TERRAGRUNT", "terragrunt")
PLAN = os.path.join(os.environ["TRUEUP_SCRATCH"], "tfplan")
WORDS = {"create": "create", "update": "update", "delete": "delete", "forget": "forget"}


def actions(change):
    given = change["actions"]
    if "create" in given and "delete" in given:
        return ["replace"]
    return [WORDS[action] for action in given if action in WORDS]


subprocess.run([TOOL, "init", "-input=false", "-no-color"], stdout=sys.stderr, check=True)
planned = subprocess.run(
    [TOOL, "plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=" + PLAN], stdout=sys.stderr
).returncode
if planned not in (0, 2):
    sys.exit(1)
shown = subprocess.run([TOOL, "show", "-json", PLAN], stdout=subprocess.PIPE, check=True).stdout
resources = [one for one in json.loads(shown).get("resource_changes", []) if one["mode"] == "managed"]
changes = [
    {"address": one["address"], "resource": one["type"], "actions": actions(one["change"])}
    for one in resources
    if actions(one["change"])
]
if planned == 2 and not changes:
    changes = [{"address": "outputs or moves", "resource": "state", "actions": ["update"]}]
json.dump({"changes": changes, "coverage": {"checked": len(resources)}}, sys.stdout)
sys.exit(planned)
