"""Says what a play does as one JSON object a line on stdout, for Trueup's ansible driver (events.ts reads it).

It also holds a run to what Trueup promises, because only here every task passes, also those of roles and includes:
in check mode no task runs for real (`check_mode: false` is overruled), and what ignore rules cover is not written.
"""
from __future__ import annotations

import fnmatch
import json
import os
import sys

from ansible.plugins.callback import CallbackBase

from trueup_files import Files
from trueup_reach import Reach
from trueup_tasks import CONTROL, short

try:
    from ansible.template import trust_as_template
except ImportError:
    def trust_as_template(text):
        """Before 2.19 every text was a template."""
        return text

DOCUMENTATION = '''
name: trueup_events
type: stdout
short_description: one JSON object per event
description: Events of a play for Trueup.
'''

# An item that is no text is named by one of these: the whole of it may hold a password, and would be long.
ITEM_NAMES = ('name', 'path', 'dest', 'key', 'id')
MESSAGE_CHARS = 4000
# Templates; and since 2.22 what stands for a secret in all that callbacks get (module_utils/secrets.py).
UNNAMED = ('{{', '{%', '$REDACTED$')


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
        self.reach = Reach()
        self.files = Files()
        self.carried_on = set()
        self.pending = set()
        self.number = 0

    # ---- tasks

    def v2_playbook_on_start(self, playbook):
        self.reach.begin(playbook)

    def v2_playbook_on_vars_prompt(self, varname, private=True, prompt=None, encrypt=None, confirm=False, salt_size=None,
                                   salt=None, default=None, unsafe=None):
        """A question, of a variable that nobody has given; Ansible takes the default, or nothing."""
        self._say('prompt', name=str(varname), hasDefault=default is not None)

    def v2_playbook_on_play_start(self, play):
        left_out = self.reach.play(play)
        self.files.play = play
        self._say('play', name=play.get_name(), leftOut=left_out)

    def v2_playbook_on_include(self, included_file):
        self.reach.include(included_file)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task(task, False)

    def v2_playbook_on_handler_task_start(self, task):
        self._task(task, True)

    def _task(self, task, handler):
        key = self.reach.key(task)
        if not self.reach.start(task):
            return
        off = self._hold(task, key) if self.check else None
        # There is nobody at the keyboard: a debugger would wait, or end the run in the middle.
        task.debugger = 'never'
        self._keep_ignored(task, key)
        self._say('task', key=key, action=short(task.action), path=task.get_path(), handler=handler, checkOff=off)

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
            task.when = (list(own) if isinstance(own, list) else []) + [trust_as_template(each) for each in conditions]

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
        self.reach.count(result._host.get_name())
        if not self._has_items(result):
            self._result('ok', result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.reach.count(result._host.get_name())
        ignored = bool(ignore_errors) and result._task._uuid not in self.carried_on
        if not self._has_items(result):
            self._result('failed', result, ignored=ignored)

    def v2_runner_on_skipped(self, result):
        self.reach.count(result._host.get_name())
        if not self._has_items(result):
            self._result('skipped', result)

    def v2_runner_on_unreachable(self, result):
        self.reach.count(result._host.get_name())
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
        task, res, host = result._task, result._result, result._host.get_name()
        action, key = short(task.action), self.reach.key(task)
        control = action in CONTROL
        no_log = 'censored' in res
        changed = status == 'ok' and bool(res.get('changed')) and not control
        reason = res.get('skip_reason') or res.get('skipped_reason')
        unseen = self.check and status == 'skipped' and not reason and not control
        # `creates` and the like: it says that it would run, but gives no result that others could go on with.
        would_run = self.check and changed and str(res.get('msg', '')).startswith('Command would have run')
        follows = self.reach.follows(task, host) if self.check else None
        was_pending = host in self.pending
        if self.check:
            if changed or unseen:
                self.pending.add(host)
            lost = unseen or would_run or status == 'failed' or follows is not None
            self.reach.outcome(task, host, lost=lost, notifies=lost or changed, item=item, root=follows and follows['key'])
        self.reach.seen(task, host, status)
        if self.check and status == 'ok':
            self.files.note(host, task, res)
        self._say(
            'result', key=key, action=action, path=task.get_path(), host=host, status=status, changed=changed, control=control,
            noLog=no_log, ignored=ignored, rescued=status == 'failed' and self._rescued(task), afterPending=was_pending,
            item=self._item(res) if item and not no_log else None,
            unseen=unseen, readOnly=task.changed_when in ([False], ['false']),
            subject=None if no_log else self._subject(result, item),
            diff=res.get('diff') if changed and not no_log else None, message=self._message(status, res, no_log),
            follows=follows and follows['key'], followsIn=follows and follows['part'],
            warnings=[] if no_log else self._warnings(res),
        )

    def _warnings(self, res):
        """What a module warns of; since 2.19 only a callback tells."""
        found = [(each, False) for each in res.get('warnings') or []]
        found += [(each, True) for each in res.get('deprecations') or []]
        texts = [(each.get('msg') if isinstance(each, dict) else str(each), old) for each, old in found]
        return [{'text': text[:MESSAGE_CHARS], 'deprecation': old} for text, old in texts if text]

    def _subject(self, result, item):
        """How the item of its loop is labelled, else the file that the task is about, else the item."""
        res = result._result
        label = res.get('_ansible_item_label')
        # Who labels an item says how it is to be called, and what of it is not to be shown.
        if item and label is not None and getattr(result._task.loop_control, 'label', None) is not None:
            return str(label)
        arguments = (getattr(result, '_task_fields', None) or {}).get('args') or {}
        for name in ('dest', 'path'):
            value = arguments.get(name)
            if isinstance(value, str) and value.startswith('/'):
                return value
        if not item:
            return None
        value = res.get(res.get('ansible_loop_var', 'item'))
        if isinstance(value, dict):
            return next((str(value[name]) for name in ITEM_NAMES if isinstance(value.get(name), (str, int))), None)
        return str(value) if isinstance(value, (str, int, float)) else None

    def _item(self, res):
        """The value that the loop has here, in a list; None where a condition could not name it, or it holds a secret."""
        value = res.get(res.get('ansible_loop_var', 'item'))
        text = json.dumps(value, default=str)
        return None if any(each in text for each in UNNAMED) or len(text) > MESSAGE_CHARS else [value]

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

    # ---- the end

    def v2_playbook_on_no_hosts_matched(self):
        self._say('no_hosts', **self.reach.no_hosts())

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        missed = self.reach.missed() if self.check else []
        for each in missed:
            self._say('missed', **each)
        for each in self.files.hosts():
            self._say('files', **each)
        meant = sorted(self.reach.meant_hosts())
        self._say('stats', hosts=hosts, custom=stats.custom.get('_run', {}), meant=meant, counted=self.reach.counted)

    def _say(self, event, **fields):
        fields['event'] = event
        self.number += 1
        fields['number'] = self.number
        sys.stdout.write(json.dumps({'trueup': fields}, default=str) + '\n')
        sys.stdout.flush()
