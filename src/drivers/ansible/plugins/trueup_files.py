"""Which files of which hosts a run is about, so that a stack of another environment that writes them too is found."""
from __future__ import annotations

import os

from ansible.template import Templar

from trueup_tasks import short

# Modules that write one file, or a part of it.
WRITERS = {
    'assemble', 'blockinfile', 'copy', 'file', 'get_url', 'ini_file', 'lineinfile', 'replace', 'template',
    'community.general.ini_file', 'community.general.xml',
}


class Files:
    def __init__(self):
        self.play = None
        self.found = {}

    def see(self, task, result):
        """Notes the file of a result. A directory is nobody's own, a link is the file itself."""
        if short(task.action) not in WRITERS or 'censored' in result:
            return None
        arguments = (result.get('invocation') or {}).get('module_args') or {}
        state = arguments.get('state')
        if result.get('state') == 'directory' or state in ('directory', 'touch'):
            return None
        path = result.get('dest') or result.get('path') or arguments.get('dest') or arguments.get('path')
        if not isinstance(path, str) or not path.startswith('/'):
            return None
        # Into a directory that is not there yet: the name of the file is that of its source.
        if path.endswith('/'):
            path += os.path.basename(str(arguments.get('_original_basename') or arguments.get('src') or ''))
        return None if path.endswith('/') else (path, state in ('link', 'hard'))

    def note(self, host, task, result):
        seen = self.see(task, result)
        if seen is not None:
            delegated = (result.get('_ansible_delegated_vars') or {}).get('ansible_delegated_host')
            self.found.setdefault(delegated or host, set()).add(seen)

    def hosts(self):
        """For each host its files, and all that says which machine it is."""
        for name, files in sorted(self.found.items()):
            known = self._variables(name)
            facts = known.get('ansible_facts') or {}
            address = known.get('ansible_host') or known.get('ansible_ssh_host') or name
            # The way there: an address may be another machine behind another jump host.
            way = [known.get('ansible_ssh_common_args'), known.get('ansible_ssh_extra_args')]
            yield {
                'host': name,
                'connection': self._text(known.get('ansible_connection') or self._connection(name), known),
                'address': self._text(address, known),
                'port': self._text(known.get('ansible_port') or known.get('ansible_ssh_port') or 22, known),
                'way': ' '.join(str(each) for each in way if each),
                'machineId': self._text(facts.get('machine_id'), known),
                'nodename': self._text(facts.get('nodename'), known),
                'files': [{'path': path, 'isLink': link} for path, link in sorted(files)],
            }

    def _connection(self, name):
        inventory = self.play.get_variable_manager()._inventory
        if inventory.hosts.get(name) is None and name in ('localhost', '127.0.0.1', '::1'):
            return 'local'
        return getattr(self.play, 'connection', None)

    def _variables(self, name):
        manager = self.play.get_variable_manager()
        host = manager._inventory.get_host(name)
        try:
            return manager.get_vars(play=self.play, host=host, include_hostvars=False) if host is not None else {}
        except Exception:  # a variable that cannot be had: the host is known by its name then
            return {}

    def _text(self, value, known):
        """None where it is a template that cannot be filled in here."""
        if value is None or '{{' not in str(value):
            return None if value is None else str(value)
        try:
            text = str(Templar(loader=self.play.get_loader(), variables=known).template(value))
        except Exception:  # it needs what only a task knows
            return None
        return None if '{{' in text else text
