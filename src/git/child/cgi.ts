/** The head of a CGI answer: status and headers, and what of the body came with it. */
export interface CgiHead {
  status: number
  headers: [string, string][]
  rest: Buffer
}

/** null while the empty line has not come yet. */
export function parseCgiHead(bytes: Buffer): CgiHead | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const headers: [string, string][] = []
  let status = 200
  for (const line of bytes.toString('latin1', 0, end).split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10) || 500
    else if (name !== '') headers.push([name, value])
  }
  return { status, headers, rest: bytes.subarray(end + 4) }
}
