"""What a task of Ansible is, and what it names."""
from __future__ import annotations

# These change nothing outside of this process, whatever they report.
CONTROL = {
    'add_host', 'assert', 'debug', 'fail', 'gather_facts', 'group_by', 'import_playbook', 'import_role', 'import_tasks',
    'include', 'include_role', 'include_tasks', 'include_vars', 'meta', 'pause', 'set_fact', 'set_stats', 'setup',
    'validate_argument_spec', 'wait_for_connection',
}
# What they bring is not known before they are reached.
INCLUDES = {'include', 'include_role', 'include_tasks'}


def short(action):
    for prefix in ('ansible.builtin.', 'ansible.legacy.'):
        if action.startswith(prefix):
            return action[len(prefix):]
    return action


def listens(handler):
    listen = getattr(handler, 'listen', None) or []
    return [listen] if isinstance(listen, str) else list(listen)


def registers(task):
    """Names that hold the result of a task: one up to 2.21, since 2.22 the keys of a dict."""
    register = task.register
    if not register:
        return []
    return [str(name) for name in register] if isinstance(register, dict) else [str(register)]


def notified_by(task):
    """Names of handlers, one or several."""
    notify = task.notify or []
    return [notify] if isinstance(notify, str) else list(notify)
