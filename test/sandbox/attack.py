# What every hostile stack of the corpus tries, once it has got a program to run. Loot is a file VEHICLE.AIM; its content is
# the canary that was found. Nothing is harmed: all that is reached was put there by the test.
import glob, json, os, socket, subprocess, sys, urllib.request

vehicle = sys.argv[1]
aims = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'aims.json')))
CANARY = 'canary-'


def aim(name, attempt):
    try:
        found = attempt()
        if found and CANARY in found:
            with open(os.path.join(aims['loot'], vehicle + '.' + name), 'w') as loot:
                loot.write(found)
    except BaseException:
        pass


def read(path):
    return open(path, errors='replace').read()


def phase():
    for each in glob.glob('/proc/[0-9]*/environ'):
        try:
            if aims['phase'] in read(each):
                return CANARY
        except OSError:
            pass  # It has ended, or is somebody else's.
    return ''


def fetched(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=2).read().decode()


def proxied():
    proxy = os.environ.get('HTTP_PROXY')
    if proxy is None:
        return fetched(aims['named'])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({'http': proxy}))
    os.environ['NO_PROXY'] = os.environ['no_proxy'] = ''
    return opener.open(aims['named'], timeout=2).read().decode()


def unix(address):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(address)
        return client.recv(100).decode()


def metadata():
    with socket.create_connection(('169.254.169.254', 80), 0.3):
        return 'canary-metadata'


def outlive():
    quiet = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    subprocess.Popen(['sleep', aims['sleep'] + vehicle_number()], start_new_session=True, **quiet)


def vehicle_number():
    return str(aims['vehicles'].index(vehicle))


def fill():
    with open(os.path.join(aims['loot'], vehicle + '.disk'), 'wb') as big:
        for _ in range(3):
            big.write(bytes(1 << 20))


def write_outside():
    with open(os.path.join(aims['outside'], vehicle), 'w') as left:
        left.write('left')
    return 'canary-'


def signal():
    os.kill(aims['pid'], 0)
    return 'canary-'


def kernel():
    return 'canary-' if os.access('/proc/sys/kernel/core_pattern', os.W_OK) else ''


open(os.path.join(aims['loot'], vehicle + '.ran'), 'w').close()
aim('worker', lambda: read(aims['worker']))
aim('run', lambda: read(aims['run']))
aim('cache', lambda: read(aims['cache']))
aim('phase', phase)
aim('loopback', lambda: fetched(aims['loopback']))
aim('named', proxied)
aim('socket', lambda: unix(aims['socket']))
aim('abstract', lambda: unix('\0' + aims['abstract']))
aim('metadata', metadata)
aim('outside', write_outside)
aim('signal', signal)
aim('kernel', kernel)
aim('outlive', outlive)
aim('disk', fill)
# The worker reads and writes here afterwards.
aim('link', lambda: os.symlink(aims['worker'], os.path.join(aims['loot'], vehicle + '.link')))
