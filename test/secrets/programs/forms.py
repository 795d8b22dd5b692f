"""A secret in the forms in which tools print one, each with a tag that names driver, place and form."""
import base64
import html
import json
import os
import shlex
import textwrap
import urllib.parse


def wrapped(text, width):
    return '\n'.join(textwrap.wrap(text, width))


def in_base64(text, before=0):
    return base64.b64encode(('u' * before + text + ' and more of it').encode()).decode()


def forms():
    value, key = os.environ['CANARY'], os.environ['CANARY_KEY']
    return {
        'plain': value,
        'line': key.splitlines()[1],
        'lines': key,
        'indented': textwrap.indent(key, '    '),
        'json': json.dumps(value),
        'json2': json.dumps(json.dumps(value)),
        'json_utf8': json.dumps(value, ensure_ascii=False),
        'yaml': "'" + value.replace("'", "''") + "'",
        'url': urllib.parse.quote(value),
        'form': urllib.parse.urlencode({'t': value}),
        'sh': shlex.quote(value),
        'html': html.escape(value),
        'hex': value.encode().hex(),
        'hex_upper': value.encode().hex().upper(),
        'base64': in_base64(value),
        'base64_1': in_base64(value, 1),
        'base64_2': in_base64(value, 2),
        'base64_76': wrapped(in_base64(value, 40), 76),
        'base64_64': wrapped(in_base64(key), 64),
        'base64url': base64.urlsafe_b64encode(value.encode()).decode(),
    }


def tagged(driver, place):
    """(form, text) with the tag before the text."""
    return [(form, '[%s:%s:%s] %s' % (driver, place, form, text)) for form, text in forms().items()]


if __name__ == '__main__':
    import sys
    for _, line in tagged(sys.argv[1], sys.argv[2]):
        print(line)
