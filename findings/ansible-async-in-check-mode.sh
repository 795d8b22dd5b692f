#!/bin/bash
# ansible-core 2.19.3 (from PyPI): a task with `async` and `poll: 0` runs nothing in check mode and is reported as
# "changed"; the same task without `async` is reported as "skipped". A preview that counts changed tasks therefore shows a
# change for a command that check mode cannot judge, and does so on every run.
# (ansible-core 2.14 failed such a task: "check mode and async cannot be used on same task.")
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ansible-core==2.19.3
cat > site.yml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: '{{ ansible_playbook_python }}'
  tasks:
    - name: detached
      command: touch made-by-detached
      async: 10
      poll: 0
    - name: plain
      command: touch made-by-plain
YAML
export HOME=$work ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=1
venv/bin/ansible --version > version && sed -n 1p version
venv/bin/ansible-playbook -i localhost, --check site.yml | tee out
[ ! -e made-by-detached ] && [ ! -e made-by-plain ]
status() { sed -n "/^TASK \[$1\]/,/^\$/p" out | grep -oE '^(ok|changed|skipping|fatal)' | head -1; }
[ "$(status detached)" = changed ]
[ "$(status plain)" = skipping ]
echo 'as found: poll: 0 is "changed" in check mode, without async it is "skipped", and nothing ran'
