"""Says what a play does as one JSON object a line on stdout, for Trueup's ansible driver (events.ts reads it).

It also holds a run to what Trueup promises, because only here every task passes, also those of roles and includes:
in check mode no task runs for real (`check_mode: false` is overruled), and what ignore rules cover is not written.
"""
from __future__ import annotations

import fnmatch
import json
import os
import re
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = '''
name: trueup_events
type: stdout
short_description: one JSON object per event
description: Events of a play for Trueup.
'''

# These change nothing outside of this process, whatever they report.
CONTROL = {
    'add_host', 'assert', 'debug', 'fail', 'gather_facts', 'group_by', 'import_playbook', 'import_role', 'import_tasks',
    'include', 'include_role', 'include_tasks', 'include_vars', 'meta', 'pause', 'set_fact', 'set_stats', 'setup',
    'validate_argument_spec', 'wait_for_connection',
}
# An item that is no text is named by one of these: the whole of it may hold a password, and would be long.
ITEM_NAMES = ('name', 'path', 'dest', 'key', 'id')
MESSAGE_CHARS = 4000


def short(action):
    for prefix in ('ansible.builtin.', 'ansible.legacy.'):
        if action.startswith(prefix):
            return action[len(prefix):]
    return action


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'stdout'
    CALLBACK_NAME = 'trueup_events'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        with open(os.environ['TRUEUP_ORDERS'], encoding='utf-8') as file:
            orders = json.load(file)
        self.check = orders['check']
        self.read_only = orders['readOnly']
        self.skip = orders['skip']
        self.arguments = orders['arguments']
        self.keys = {}
        self.names = {}
        self.unseen = {}
        self.carried_on = set()
        self.pending = False

    # ---- tasks

    def v2_playbook_on_play_start(self, play):
        self._say('play', name=play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task(task, False)

    def v2_playbook_on_handler_task_start(self, task):
        self._task(task, True)

    def _task(self, task, handler):
        known = task._uuid in self.keys
        key = self._key(task)
        if known:
            return
        off = self._hold(task, key) if self.check else None
        self._keep_ignored(task, key)
        self._say('task', key=key, action=short(task.action), path=task.get_path(), handler=handler, checkOff=off)

    def _key(self, task):
        """`ROLE : NAME`, numbered where several tasks of one name are begun."""
        if task._uuid not in self.keys:
            name = ' '.join(task.get_name().split()).replace('/', '\u2215') or short(task.action)
            number = self.names[name] = self.names.get(name, 0) + 1
            self.keys[task._uuid] = name if number == 1 else '%s (%d)' % (name, number)
        return self.keys[task._uuid]

    def _hold(self, task, key):
        """Makes the task fit for check mode. Tells what became of a `check_mode: false`."""
        off = None
        if task.check_mode is not True:
            name = task.name or key
            if any(fnmatch.fnmatchcase(key, glob) or fnmatch.fnmatchcase(name, glob) for glob in self.read_only):
                off = 'ran'
            else:
                task.check_mode = True
                off = 'held'
        # "check mode and async cannot be used on same task"
        if off != 'ran':
            task.async_val = 0
        # What an earlier task would have made is not there, so this one may fail without reason: go on, and report it.
        if self.pending and not task.ignore_errors and short(task.action) not in CONTROL and not self._rescued(task):
            self.carried_on.add(task._uuid)
            task.ignore_errors = True
        return off

    def _keep_ignored(self, task, key):
        for name, value in self.arguments.get(key, {}).items():
            if value is None:
                task.args.pop(name, None)
            else:
                task.args[name] = value
        own = getattr(task, '_when', None)
        conditions = ['not (%s)' % self._condition(each) for each in self.skip.get(key, [])]
        if conditions:
            task.when = (list(own) if isinstance(own, list) else []) + conditions

    def _condition(self, skip):
        """True on the host, and in a loop for the items, on which the task is to be left out."""
        host = 'inventory_hostname == %s' % json.dumps(skip['host'])
        if skip['items'] is None:
            return host
        items = json.dumps(json.dumps(skip['items']))
        return '%s and lookup("vars", ansible_loop_var) in (%s | from_json)' % (host, items)

    def _rescued(self, task):
        parent = task._parent
        while parent is not None:
            if getattr(parent, 'rescue', None):
                return True
            parent = parent._parent
        return False

    # ---- results

    def v2_runner_on_ok(self, result):
        if not self._has_items(result):
            self._result('ok', result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        ignored = bool(ignore_errors) and result._task._uuid not in self.carried_on
        if not self._has_items(result):
            self._result('failed', result, ignored=ignored)

    def v2_runner_on_skipped(self, result):
        if not self._has_items(result):
            self._result('skipped', result)

    def v2_runner_on_unreachable(self, result):
        self._result('unreachable', result)

    def v2_runner_item_on_ok(self, result):
        self._result('ok', result, item=True)

    def v2_runner_item_on_failed(self, result):
        ignored = bool(result._task.ignore_errors) and result._task._uuid not in self.carried_on
        self._result('failed', result, item=True, ignored=ignored)

    def v2_runner_item_on_skipped(self, result):
        self._result('skipped', result, item=True)

    def _has_items(self, result):
        items = result._result.get('results')
        looped = result._task.loop is not None or result._task.loop_with is not None
        return looped and isinstance(items, list) and len(items) > 0

    def _result(self, status, result, item=False, ignored=False):
        task, res = result._task, result._result
        action = short(task.action)
        control = action in CONTROL
        no_log = 'censored' in res
        changed = status == 'ok' and bool(res.get('changed')) and not control
        reason = res.get('skip_reason') or res.get('skipped_reason')
        unseen = self.check and status == 'skipped' and not reason and not control
        read_only = task.changed_when in ([False], ['false'])
        if self.check:
            self.pending = self.pending or changed or unseen
            # A failed one has a result too, but not the one that it would have.
            if task.register and (unseen or status == 'failed'):
                self.unseen[task.register] = self._key(task)
        self._say(
            'result', key=self._key(task), action=action, path=task.get_path(), host=result._host.get_name(), status=status,
            changed=changed, control=control, noLog=no_log, ignored=ignored, rescued=status == 'failed' and self._rescued(task),
            item=self._item(res) if item and not no_log else None,
            unseen=unseen, readOnly=read_only, subject=None if no_log else self._subject(result, item),
            diff=res.get('diff') if changed and not no_log else None, message=self._message(status, res, no_log),
            follows=self._follows(task) if status == 'skipped' and reason else None,
        )

    def _subject(self, result, item):
        """The file that the task is about, else the item of its loop."""
        arguments = (getattr(result, '_task_fields', None) or {}).get('args') or {}
        for name in ('dest', 'path'):
            value = arguments.get(name)
            if isinstance(value, str) and value.startswith('/'):
                return value
        if not item:
            return None
        res = result._result
        value = res.get(res.get('ansible_loop_var', 'item'))
        if isinstance(value, dict):
            return next((str(value[name]) for name in ITEM_NAMES if isinstance(value.get(name), (str, int))), None)
        return str(value) if isinstance(value, (str, int, float)) else None

    def _item(self, res):
        """The value that the loop has here, in a list; None where a condition could not name it."""
        value = res.get(res.get('ansible_loop_var', 'item'))
        text = json.dumps(value, default=str)
        return None if '{{' in text or '{%' in text or len(text) > MESSAGE_CHARS else [value]

    def _message(self, status, res, no_log):
        if no_log:
            return 'hidden by no_log'
        if status == 'ok':
            return None
        parts = [res.get('msg')]
        if status == 'failed':
            parts += [res.get(name) for name in ('stderr', 'module_stderr')]
        text = '\n'.join(str(part).strip() for part in parts if part)
        if status == 'failed' and not res.get('stderr') and res.get('stdout'):
            text += '\n' + str(res['stdout']).strip()[-MESSAGE_CHARS:]
        return text if len(text) <= MESSAGE_CHARS else text[:MESSAGE_CHARS // 2] + ' … ' + text[-MESSAGE_CHARS // 2:]

    def _follows(self, task):
        """The task whose result a condition asks for, where check mode did not give that result."""
        if not self.check:
            return None
        when = ' '.join(str(each) for each in (task.when or []))
        return next((key for name, key in self.unseen.items() if re.search(r'\b%s\b' % re.escape(name), when)), None)

    # ---- the end

    def v2_playbook_on_no_hosts_matched(self):
        self._say('no_hosts')

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._say('stats', hosts=hosts, custom=stats.custom.get('_run', {}))

    def _say(self, event, **fields):
        fields['event'] = event
        sys.stdout.write(json.dumps({'trueup': fields}, default=str) + '\n')
        sys.stdout.flush()
