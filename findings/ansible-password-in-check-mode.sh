#!/bin/bash
# ansible-core 2.19.14 (from PyPI): the lookup `password` makes a password and writes it to its file on the controller also in
# check mode, although nothing was to be changed: a preview leaves a file behind, and the real run later takes the password that
# the preview has made.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ansible-core==2.19.14
cat > site.yml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: '{{ ansible_playbook_python }}'
  tasks:
    - name: account
      copy:
        dest: '{{ playbook_dir }}/account'
        content: "{{ lookup('password', playbook_dir ~ '/secrets/account length=20') }}"
YAML
export HOME=$work ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=1
venv/bin/ansible --version > version && sed -n 1p version
venv/bin/ansible-playbook -i localhost, --check site.yml > preview
[ ! -e account ]
[ -s secrets/account ]
cp secrets/account of-preview
venv/bin/ansible-playbook -i localhost, site.yml > run
cmp of-preview secrets/account
[ "$(cat account)" = "$(cut -d' ' -f1 secrets/account)" ]
echo 'as found: check mode has written secrets/account, and the real run has used that password'
