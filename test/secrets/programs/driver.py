#!/usr/bin/env python3
"""A driver that says the secret in every member of the protocol that holds a text."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forms import tagged  # noqa: E402


def say(**message):
    print(json.dumps(message), flush=True)


def each(place):
    return tagged('exec', place)


request = json.load(sys.stdin)
verb = request['verb']
for _, text in each('log_' + verb):
    say(type='log', message=text)
for _, text in each('stderr_' + verb):
    print(text, file=sys.stderr, flush=True)
if verb == 'versions':
    say(type='version', tool='corpus', version='1.0.0')
if verb == 'validate':
    for _, text in each('validate'):
        say(type='finding', severity='warning', message=text)
if verb == 'plan':
    if request['settings'].get('fails'):
        say(type='error', message='\n'.join(text for _, text in each('error')))
        sys.exit(1)
    for form, text in each('address'):
        say(type='change', address=text, actions=['update'], attributes=[{'path': 'a', 'after': '1'}])
    for place in ('after', 'before', 'both', 'key', 'path', 'reason', 'resource'):
        for form, text in each(place):
            attribute = {'path': 'a', 'before': 'was', 'after': 'is'}
            change = {'address': '%s/%s' % (place, form), 'actions': ['update'], 'attributes': [attribute]}
            if place in ('after', 'before', 'path'):
                attribute[place] = text
            elif place == 'both':
                attribute['before'], attribute['after'] = 'old ' + text, 'new ' + text
            elif place == 'key':
                attribute['after'] = {'list': [{text: 1}]}
            else:
                change[place] = text
            say(type='change', **change)
    for _, text in each('finding'):
        say(type='finding', severity='warning', message=text)
    say(type='coverage', checked=1, unchecked=[
        {'address': 'u/%s' % form, 'why': text} for form, text in each('why')])
    for form, text in each('output'):
        say(type='output', name='o_' + form, value=text)
    say(type='output', name=os.environ['CANARY_WORD'], value=1)
if verb == 'apply':
    for form, text in each('applied'):
        say(type='applied', address='after/' + form, status='done', message=text)
    if request['settings'].get('breaks'):
        say(type='error', message='\n'.join(text for _, text in each('broken')))
        sys.exit(1)
say(type='done')
