#!/usr/bin/env python3
"""Hosts beyond the first two, from the addresses that another stack gives (input `web_addresses`)."""
import json
import os

with open(os.environ["TRUEUP_INPUTS_FILE"], encoding="utf-8") as file:
    addresses = json.load(file).get("web_addresses", [])

hosts = {f"web{number}": {"ansible_host": address} for number, address in enumerate(addresses[2:], start=3)}
print(json.dumps({"web": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}))
