import { expect, test } from 'vitest'
import { isForbiddenAddress } from './addresses.ts'

test.each([
  '127.0.0.1',
  '127.8.9.10',
  '0.0.0.0',
  '169.254.169.254',
  '169.254.0.1',
  '192.0.0.192',
  '100.100.100.200',
  '168.63.129.16',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'ff02::1',
  'fd00:ec2::254',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::169.254.169.254',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '0:0:0:0:0:0:0:1',
  'localhost',
  '127.1',
  '0x7f000001',
  '2130706433',
  '',
])(
  // biome-ignore format: a list
  '%j is refused, whatever name leads there',
  (address) => expect(isForbiddenAddress(address)).toBe(true),
)

test.each([
  '10.0.0.1',
  '192.168.1.1',
  '172.16.0.1',
  '203.0.113.80',
  '100.64.0.1',
  '2001:db8::1',
  'fd00::1',
  '::ffff:10.0.0.1',
  '64:ff9b::a00:1',
  '2002:a00:1::1',
])(
  // biome-ignore format: a list
  '%j is not',
  (address) => expect(isForbiddenAddress(address)).toBe(false),
)
