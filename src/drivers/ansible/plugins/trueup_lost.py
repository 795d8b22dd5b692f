"""Results that check mode did not give, and what is built from them."""
from __future__ import annotations

import json
import re

from trueup_tasks import registers, short

# Characters of a template that are searched.
MAX_TEMPLATE = 1024 * 1024


def texts(value):
    return value if isinstance(value, str) else json.dumps(value, default=str)


def expressions(value):
    """What of a value is a template."""
    return ' '.join(re.findall(r'\{\{.*?\}\}|\{%.*?%\}', texts(value), re.DOTALL))


def mentions(text, name):
    """As a variable of the host itself."""
    return re.search(r'(?<![\w.])%s\b' % re.escape(name), text) is not None or \
        re.search(r'''\[\s*['"]%s['"]\s*\]''' % re.escape(name), text) is not None


def mentions_elsewhere(text, name):
    """As a variable of some host."""
    return 'hostvars' in text and re.search(r'\b%s\b' % re.escape(name), text) is not None


class Lost:
    """Variables whose values are not the ones that they will have, by name and host, and who builds on them."""

    def __init__(self, key):
        # How a task is called.
        self.key = key
        self.holders = {}
        self.sound = {}
        self.own = {}
        self.built = {}

    def outcome(self, task, host, lost, item, root):
        """`lost`: the result is not the one that it will have; who builds on it builds on nothing. `root`: the first to lose it."""
        names = registers(task)
        if short(task.action) == 'set_fact':
            names += [name for name in task.args if name != 'cacheable']
        for name in names:
            holders, sound = self.holders.setdefault(name, {}), self.sound.setdefault(name, set())
            if lost:
                holders[host] = root or self.key(task)
                sound.discard(host)
            elif not item or host not in holders:
                holders.pop(host, None)
                sound.add(host)

    def follows(self, play, task, host):
        """The task on whose lost result this one builds on a host, and in which of its parts. `play`: of trueup_reach."""
        everywhere = {name: next(iter(holders.values())) for name, holders in self.holders.items() if holders}
        if not everywhere:
            return None
        # Of `run_once` and a delegated fact only one host has a result, and all go on with it.
        here = {name: self.holders[name].get(host, key) for name, key in everywhere.items() if host not in self.sound[name]}
        differing = tuple(sorted(self._differing(play, host).items()))
        known = (task._uuid, tuple(sorted(here.items())), tuple(sorted(everywhere.items())), differing)
        if known not in self.built:
            self.built[known] = self._follows(play, task, here, everywhere, dict(differing))
        return self.built[known]

    def _follows(self, play, task, here, everywhere, differing):
        own = self.key(task)
        here = {**here, **self._built_from(play, task, here, everywhere, differing)}
        parts = (
            ('loop', expressions(task.loop) if task.loop else ''),
            ('condition', texts(list(task.when or []))),
            ('arguments', self._arguments(play, task)),
        )
        for part, text in parts:
            key = lost_in(text, here, everywhere, own)
            if key is not None:
                return {'key': key, 'part': part}
        return None

    def _arguments(self, play, task):
        """The templates among the arguments, and those in the file of `template`."""
        found = expressions(task.args)
        source = task.args.get('src') if short(task.action) == 'template' else None
        if not isinstance(source, str) or '{{' in source:
            return found
        try:
            loader = play.play.get_loader()
            path = loader.path_dwim_relative_stack(task.get_search_path(), 'templates', source)
            with open(path, encoding='utf-8', errors='replace') as file:
                return found + ' ' + expressions(file.read(MAX_TEMPLATE))
        except Exception:  # pylint: disable=broad-except
            # The task itself will say what is wrong with its template.
            return found

    def _built_from(self, play, task, here, everywhere, differing):
        """Variables whose values mention lost ones, directly or by others."""
        variables = dict(play.play.get_vars())
        if play.hosts:
            variables.update(variables_of(play, play.hosts[0], task))
        candidates = {**templates(variables), **differing, **templates(task.get_vars() or {})}
        for name in here:
            candidates.pop(name, None)
        found = {}
        changed = True
        while changed:
            changed = False
            for name, text in list(candidates.items()):
                key = lost_in(text, {**here, **found}, everywhere, None)
                if key is not None:
                    found[name] = key
                    del candidates[name]
                    changed = True
        return found

    def _differing(self, play, host):
        """What of its variables a host has otherwise than the first of the play."""
        if not play.hosts or host == play.hosts[0] or host not in play.hosts:
            return {}
        first, which = (play.play._uuid, play.hosts[0]), (play.play._uuid, host)
        if first not in self.own:
            self.own[first] = templates(variables_of(play, play.hosts[0], None))
        if which not in self.own:
            here, own = self.own[first], templates(variables_of(play, host, None))
            self.own[which] = {name: own.get(name, '') for name in {**here, **own} if here.get(name) != own.get(name)}
        return self.own[which]


def lost_in(text, here, everywhere, own):
    """The task whose lost result a text mentions."""
    for name, key in here.items():
        if key != own and mentions(text, name):
            return key
    for name, key in everywhere.items():
        if key != own and mentions_elsewhere(text, name):
            return key
    return None


def variables_of(play, host, task):
    manager = play.play.get_variable_manager()
    found = manager._inventory.get_host(host)
    return manager.get_vars(play=play.play, host=found, task=task, include_hostvars=False)


def templates(variables):
    """Of variables, those whose values are templates, as what they build on."""
    found = {}
    for name, value in variables.items():
        if name.startswith('ansible_') or name in ('groups', 'vars', 'hostvars', 'omit'):
            continue
        text = expressions(value) if isinstance(value, (str, list, dict)) else ''
        if text:
            found[name] = text
    return found
