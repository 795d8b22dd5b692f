"""What a play was meant to look at, and what of it was not reached: hosts x plays x tasks, by Ansible's own data."""
from __future__ import annotations

import re

from ansible.playbook.block import Block

from trueup_lost import Lost, texts
from trueup_tasks import CONTROL, INCLUDES, listens, notified_by, short


class Play:
    """One play over all of its batches."""

    def __init__(self, play):
        self.play = play
        self.name = play.get_name()
        self.hosts = []
        self.tasks = []
        self.handlers = []
        self.started = False


class Reach:
    def __init__(self):
        self.plays = {}
        self.current = None
        self.keys = {}
        self.names = {}
        self.begun = set()
        self.dynamic = {}
        self.static = set()
        self.included = {}
        self.results = set()
        self.failures = []
        self.silent = set()
        self.notified = set()
        self.counted = {}
        self.sources = {}
        self.lost = Lost(self.key)

    # ---- what there is

    def begin(self, playbook):
        for play in playbook.get_plays():
            self.plays[play._uuid] = Play(play)

    def play(self, play):
        """Hosts that the pattern of the play names, and the limit leaves out."""
        self.current = known = self.plays.setdefault(play._uuid, Play(play))
        if not known.started:
            known.started = True
            known.play = play
            known.hosts = self._hosts(play)
            known.tasks, known.handlers = self._tasks(play)
            for task in known.tasks + known.handlers:
                self.static.add(task._uuid)
                self.key(task)
        return [host for host in self._hosts(play, ignore_limits=True) if host not in known.hosts]

    def no_hosts(self):
        play = self.current.play
        pattern = play.hosts if isinstance(play.hosts, str) else ','.join(str(each) for each in play.hosts)
        inventory = play.get_variable_manager()._inventory
        names = [part.strip('!& ') for part in re.split(r'[,:]', pattern)]
        known = all(name in inventory.groups or name in inventory.hosts or name == 'all' for name in names if name)
        return {'name': self.current.name, 'pattern': pattern, 'known': known, 'tasks': len(self.current.tasks)}

    def _hosts(self, play, ignore_limits=False):
        if not play.hosts or '{{' in str(play.hosts):
            return []
        inventory = play.get_variable_manager()._inventory
        found = inventory.get_hosts(play.hosts, ignore_limits=ignore_limits, ignore_restrictions=True)
        return [host.get_name() for host in found]

    def _tasks(self, play):
        """Tasks of all blocks that tags leave, without what runs only to rescue; and the handlers."""
        variables = play.get_variable_manager().get_vars(play=play)
        found = []

        def walk(entries):
            for entry in entries:
                if isinstance(entry, Block):
                    walk(entry.block)
                    walk(entry.always)
                elif not getattr(entry, 'implicit', False):
                    found.append(entry)

        walk([block.filter_tagged_tasks(variables) for block in play.compile()])
        handlers = []
        for block in list(play.handlers) + list(play.compile_roles_handlers()):
            handlers += block.block
        return found, handlers

    def meant_hosts(self):
        return {host for play in self.plays.values() for host in play.hosts}

    def key(self, task):
        """`ROLE : NAME` as it stands in the source, numbered where several tasks have one name. A name that is a template would
        be that of the host that answers first, or hold what an item holds."""
        which = self.identity(task)
        if which not in self.keys:
            source = getattr(task, '_ds', None)
            raw = source.get('name') if isinstance(source, dict) else None
            raw = raw if isinstance(raw, str) else task.name
            role = task._role.get_name() if task._role else None
            name = ' : '.join(part for part in (role, raw or short(task.action)) if part)
            name = ' '.join(name.split()).replace('/', '\u2215')
            number = self.names[name] = self.names.get(name, 0) + 1
            self.keys[which] = name if number == 1 else '%s (%d)' % (name, number)
        return self.keys[which]

    def identity(self, task):
        """One task of the source. What is included is read anew for each batch of hosts and each item of a loop."""
        if task._uuid in self.static:
            return task._uuid
        include = self._include_of(task)
        return (include._uuid, task.get_path(), short(task.action)) if include is not None else task._uuid

    # ---- what happens

    def start(self, task):
        """True the first time."""
        if task._uuid in self.begun:
            return False
        self.begun.add(task._uuid)
        # As the source has it: results come with tasks whose arguments are filled in.
        self.sources[task._uuid] = task
        if task._uuid not in self.static and self.current is not None:
            self.dynamic[self.identity(task)] = task
        return True

    def include(self, included):
        hosts = [host.get_name() for host in included._hosts]
        self.included.setdefault(included._task._uuid, set()).update(hosts)
        for host in hosts:
            self.count(host)

    def count(self, host):
        self.counted[host] = self.counted.get(host, 0) + 1

    def seen(self, task, host, status):
        self.results.add((self.identity(task), host))
        if status == 'unreachable':
            self.silent.add(host)
        elif status == 'failed' and not task.ignore_errors:
            self.failures.append((self.current and self.current.play._uuid, host, self.key(task), task))

    def outcome(self, task, host, lost, notifies, item, root):
        source = self.sources.get(task._uuid, task)
        self.lost.outcome(source, host, lost, item, root)
        if notifies:
            for name in notified_by(source):
                self.notified.add((self.current and self.current.play._uuid, host, str(name), self.key(task)))

    def follows(self, task, host):
        return self.lost.follows(self.current, self.sources.get(task._uuid, task), host)

    # ---- the end

    def missed(self):
        """What was meant to be looked at on a host and was not reached, each with the reason."""
        found = []
        for play in self.plays.values():
            if not play.started:
                found += self._never_begun(play)
                continue
            for host in play.hosts:
                if host not in self.silent:
                    found += self._missed_on(play, host)
        return found

    def _never_begun(self, play):
        why = 'its play "%s" was not begun%s' % (play.name, self._because(play, None))
        try:
            hosts, (tasks, _) = self._hosts(play.play), self._tasks(play.play)
        except Exception as error:  # pylint: disable=broad-except
            return [{'host': None, 'key': None, 'why': '%s, and what it holds is not known (%s)' % (why, error), 'count': 1}]
        if not hosts:
            return [{'host': None, 'key': None, 'why': why, 'count': max(len(tasks), 1)}]
        play.hosts = hosts
        return [
            {'host': host, 'key': self.key(task), 'why': why, 'count': 1}
            for host in hosts if host not in self.silent
            for task in tasks if short(task.action) not in CONTROL or short(task.action) in INCLUDES
        ]

    def _missed_on(self, play, host):
        found = []
        for task in play.tasks:
            action = short(task.action)
            if (action in CONTROL and action not in INCLUDES) or self._was_reached(task, host, play):
                continue
            why = 'not reached%s' % self._because(play, host)
            if action in INCLUDES:
                found.append({'host': host, 'key': None, 'why': '%s, with all that "%s" includes' % (why, self.key(task)), 'count': 1})
            else:
                found.append({'host': host, 'key': self.key(task), 'why': why, 'count': 1})
            for name in notified_by(task):
                self.notified.add((play.play._uuid, host, str(name), self.key(task)))
        found += self._missed_includes(play, host)
        for uuid, on, name, notifier in sorted(self.notified, key=str):
            if uuid == play.play._uuid and on == host:
                found += self._handler(play, host, name, notifier)
        return found

    def _missed_includes(self, play, host):
        found = []
        for task in self.dynamic.values():
            include = self._include_of(task)
            hosts = self.included.get(include._uuid, set()) if include is not None else set()
            if host in hosts and short(task.action) not in CONTROL and not self._was_reached(task, host, play):
                found.append({'host': host, 'key': self.key(task), 'why': 'not reached%s' % self._because(play, host), 'count': 1})
        # What would have come after a failure inside of an include was not even read.
        for uuid, on, key, task in self.failures:
            if uuid == play.play._uuid and on == host and self.identity(task) in self.dynamic:
                why = 'what "%s", which failed, was included with was not looked at to its end' % key
                found.append({'host': host, 'key': None, 'why': why, 'count': 1})
        return found

    def _include_of(self, task):
        parent = task._parent
        while parent is not None:
            if parent._uuid in self.included:
                return parent
            parent = parent._parent
        return None

    def _was_reached(self, task, host, play):
        which = self.identity(task)
        if (which, host) in self.results:
            return True
        return bool(task.run_once) and (
            host != play.hosts[0] or any((which, each) in self.results for each in play.hosts)
        )

    def _handler(self, play, host, name, notifier):
        matching = [
            task for task in play.handlers + list(self.dynamic.values())
            if name in (task.name, self.key(task), task.get_name()) or name in listens(task)
        ]
        why = 'a handler that "%s" may notify, which check mode cannot tell' % notifier
        if not matching:
            return [{'host': host, 'key': ' '.join(name.split()).replace('/', '\u2215'), 'why': why, 'count': 1}]
        return [
            {'host': host, 'key': self.key(task), 'why': why, 'count': 1}
            for task in matching if (self.identity(task), host) not in self.results
        ]

    def _because(self, play, host):
        own = [key for uuid, on, key, _ in self.failures if on == host]
        if own:
            return ': "%s" failed before it' % own[0]
        if host is not None and any(short(task.action) == 'meta' and 'end_' in texts(task.args) for task in play.tasks):
            return ': the play ended before it on this host (meta)'
        if self.failures:
            _, on, key, _ = self.failures[0]
            return ': Ansible stopped after "%s" failed on %s' % (key, on)
        if self.silent:
            return ': Ansible stopped because %s did not answer' % sorted(self.silent)[0]
        return ': Ansible ended before it'
