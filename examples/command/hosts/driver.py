#!/usr/bin/env python3
"""Manages the lines of a hosts file that it has marked as its own; everything else in the file is left as it is.

Speaks version 1 of Trueup's driver protocol: one JSON request on stdin, one JSON message per line on stdout.
Needs nothing but Python 3.8.
"""
import json
import os
import sys
import tempfile


class Fault(Exception):
    def __init__(self, fault, message):
        super().__init__(message)
        self.fault = fault


def say(kind, **members):
    print(json.dumps({"type": kind, **members}), flush=True)


def mark(request):
    stack = request["stack"]
    return f"# trueup {stack['environment']}/{stack['name']}"


def read_desired(request):
    """Name to address, from hosts.json beside this program; nothing when the stack is to be destroyed."""
    if request["destroy"]:
        return {}
    path = os.path.join(request["directory"], "hosts.json")
    try:
        with open(path, encoding="utf-8") as file:
            desired = json.load(file)
    except (OSError, ValueError) as error:
        raise Fault("source", f"hosts.json: {error}")
    for name, address in desired.items():
        if not isinstance(address, str) or any(blank in name + address for blank in " \t\n#"):
            raise Fault("source", f"hosts.json: {name!r} needs one address without blanks")
    return desired


def read_live(request):
    """The other lines of the file, and name to address of those that carry the mark."""
    others, live = [], {}
    try:
        with open(request["settings"]["file"], encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    except PermissionError as error:
        raise Fault("denied", str(error))
    for line in lines:
        entry, _, comment = line.partition(" # trueup ")
        if comment and f"# trueup {comment}" == mark(request) and len(entry.split()) == 2:
            address, name = entry.split()
            live[name] = address
        else:
            others.append(line)
    return others, live


def difference(desired, live):
    for name in sorted({**desired, **live}):
        before, after = live.get(name), desired.get(name)
        if before != after:
            yield name, before, after


def plan(request):
    desired, (_, live) = read_desired(request), read_live(request)
    for name, before, after in difference(desired, live):
        action = "create" if before is None else "delete" if after is None else "update"
        attribute = {"path": "address"}
        if before is not None:
            attribute["before"] = before
        if after is not None:
            attribute["after"] = after
        say("change", address=name, resource="host", actions=[action], attributes=[attribute])
    say("coverage", checked=len({**desired, **live}))
    say("output", name="hosts", value=len(desired))


def apply(request):
    desired, (others, live) = read_desired(request), read_live(request)
    planned = {}
    for change in request["plan"]["changes"]:
        attribute = change["attributes"][0]
        planned[change["address"]] = (attribute.get("before"), attribute.get("after"))
    now = {name: (before, after) for name, before, after in difference(desired, live)}
    if now != planned:
        raise Fault("stale", "the file changed after the plan was made")
    lines = others + [f"{address} {name} {mark(request)}" for name, address in sorted(desired.items())]
    write(request["settings"]["file"], "".join(line + "\n" for line in lines))
    for done, name in enumerate(planned, start=1):
        say("applied", address=name, status="done")
        say("progress", done=done, total=len(planned), message=name)
    say("output", name="hosts", value=len(desired))


def write(path, text):
    """Old or new content, never half of it, whatever happens."""
    directory = os.path.dirname(path)
    try:
        handle, fresh = tempfile.mkstemp(dir=directory)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)
    except PermissionError as error:
        raise Fault("denied", str(error))
    except FileNotFoundError:
        raise Fault("failed", f"the directory {directory} does not exist")


def validate(request):
    read_desired(request)
    if not str(request["settings"].get("file", "")).startswith("/"):
        say("finding", severity="error", message="settings.file must be an absolute path")


def versions(_request):
    say("version", tool="python", version=".".join(map(str, sys.version_info[:3])))


def main():
    request = json.load(sys.stdin)
    if request.get("trueup") != 1:
        say("error", message=f"this driver speaks version 1 of the protocol, not {request.get('trueup')}")
        return
    verbs = {"versions": versions, "validate": validate, "plan": plan, "apply": apply}
    try:
        verbs[request["verb"]](request)
    except Fault as fault:
        say("error", fault=fault.fault, message=str(fault))
    else:
        say("done")


main()
