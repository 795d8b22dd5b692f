import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import type { DriverContext } from '../driver.ts'
import type { HostEntry, HostSettings } from './config.ts'

/** A machine over SSH, all references resolved. `name` is unique in the stack. */
export interface RemoteTarget {
  name: string
  address: string
  port: number
  user: string
}

const REFERENCE = /^\$\{inputs\.(.+)\}$/

/**
 * The machines that the stack names, or null for the worker's own. An address that refers to an input becomes the input's
 * value, one host for each where that is a list.
 * @throws CONFIG_INVALID for an unknown input, a value that is no address, or two hosts of one name.
 */
export function resolveHosts(context: DriverContext<HostSettings>): RemoteTarget[] | null {
  const { hosts, ssh } = context.config
  if (hosts === 'local') return null
  const targets = hosts.flatMap((entry) => {
    const addresses = addressesOf(context, entry)
    return addresses.map((address, index) => ({
      name: nameOf(entry, address, addresses.length > 1 ? index : null),
      address,
      port: entry.port ?? 22,
      user: entry.user ?? ssh.user,
    }))
  })
  const names = new Set<string>()
  for (const { name } of targets) {
    if (names.has(name)) throw invalid(context, `two hosts are called "${name}"`, 'Give each host a `name` of its own.')
    names.add(name)
  }
  if (targets.length === 0) throw invalid(context, 'its list of hosts is empty', 'Name at least one host.')
  return targets
}

function nameOf({ name }: HostEntry, address: string, index: number | null): string {
  if (name === undefined) return address
  return index === null ? name : `${name}-${index + 1}`
}

function addressesOf(context: DriverContext<HostSettings>, { address }: HostEntry): string[] {
  const name = REFERENCE.exec(address)?.[1]
  if (name === undefined) return [address]
  const input = Object.hasOwn(context.inputs, name) ? context.inputs[name] : undefined
  if (input === undefined) {
    const known = Object.keys(context.inputs).join(', ') || 'none'
    throw invalid(context, `${address} names no input of the stack; there are: ${known}`, 'Add it to `inputs:`.')
  }
  const values: Json[] = Array.isArray(input.value) ? input.value : [input.value]
  return values.map((value) => {
    if (typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9.:_%-]{0,252}$/.test(value)) return value
    throw invalid(context, `the input "${name}" holds no host name or IP address`, 'Give it a text or a list of texts.')
  })
}

const invalid = (context: DriverContext<HostSettings>, why: string, next: string): TrueupError =>
  new TrueupError('CONFIG_INVALID', { doing: `finding the hosts of stack "${context.stack.name}"`, why, next })
