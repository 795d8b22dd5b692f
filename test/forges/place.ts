export interface Account {
  id: string
  name: string
  token: string
}

/** An empty repository on a forge, and who does what there. */
export interface Place {
  address: string
  /** `owner/name` */
  path: string
  /** Where a double is pushed to without HTTP, which costs a dozen processes; told afterwards. */
  near?: {
    url: string
    pushed(branch: string, commit: string): void
    /** The tip of a branch becomes that of a fork's instead, which a stranger has pushed. */
    forked(branch: string, commit: string): Promise<void>
    /** The stranger opens it. Gives the number. */
    opened(branch: string, title: string): number
  }
  accounts: { [name in 'owner' | 'bot' | 'author' | 'reviewer' | 'second' | 'outsider']: Account }
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
export type Answer = any

/**
 * Asks an API as somebody; what is refused throws with the code that Trueup has for it. `fine`: statuses that give null.
 * `headers` are those of whose token it is.
 */
export async function askApi(
  url: string,
  headers: { [name: string]: string },
  {
    method,
    body,
    fine = [],
    forbidden,
  }: { method: string; body?: object | undefined; fine?: number[]; forbidden: number },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (fine.includes(response.status)) return null
  if (response.ok) return text === '' ? null : JSON.parse(text)
  const code = response.status === forbidden ? 'FORBIDDEN' : `HTTP_${response.status}`
  throw Object.assign(new Error(`${method} ${url}: ${response.status} ${text}`), { code })
}
