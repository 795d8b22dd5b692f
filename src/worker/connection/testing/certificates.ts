import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of a key and its certificate, PEM. */
export interface Certified {
  cert: string
  key: string
}

const openssl = (directory: string, ...argv: string[]): void =>
  void execFileSync('openssl', argv, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** An authority of its own, made by openssl. */
export function makeAuthority(directory: string, name: string): Certified {
  const its = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`]
  openssl(directory, 'req', '-x509', ...NEW_KEY, ...its)
  return { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
}

/** A certificate for an address of this machine (or, without one, for a client), signed by an authority. */
export function certify(directory: string, by: Certified, name: string, address?: string): Certified {
  openssl(directory, 'req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  writeFileSync(
    join(directory, `${name}.ext`),
    address ? `subjectAltName=IP:${address}\n` : 'extendedKeyUsage=clientAuth\n',
  )
  const signing = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`]
  openssl(directory, 'x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing)
  return { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
}
