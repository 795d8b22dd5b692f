import { randomBytes } from 'node:crypto'

export interface Account {
  id: string
  name: string
  token: string
}

/** An empty repository on a Gitea, and who does what there. */
export interface GiteaPlace {
  address: string
  /** `owner/name` */
  path: string
  /** Where a double is pushed to without HTTP, which costs a dozen processes; told afterwards. */
  near?: { url: string; pushed(branch: string, commit: string): void }
  accounts: { [name in 'owner' | 'bot' | 'author' | 'reviewer' | 'second']: Account }
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
type Answer = any

/** Asks the API as somebody; what is refused throws with the code that Trueup has for it. `fine`: statuses that give null. */
export const giteaAsks =
  (address: string) =>
  async (
    { token }: Pick<Account, 'token'>,
    method: string,
    path: string,
    body?: object,
    fine: number[] = [],
  ): Promise<Answer> => {
    const authorization = token.startsWith('Basic ') ? token : `token ${token}`
    const response = await fetch(`${address}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (fine.includes(response.status)) return null
    if (response.ok) return text === '' ? null : JSON.parse(text)
    const code = response.status === 422 ? 'FORBIDDEN' : `HTTP_${response.status}`
    throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { code })
  }

/** Makes a repository and accounts of its own on a real Gitea; `where`: address, comma, name and password of an administrator. */
export async function realGitea(where: string): Promise<GiteaPlace> {
  const [address = '', login = ''] = where.split(/,(.*)/)
  const ask = giteaAsks(address)
  const basic = (text: string) => ({ token: `Basic ${Buffer.from(text).toString('base64')}` })
  const admin = basic(login)
  const mark = randomBytes(4).toString('hex')
  const token = async (name: string, as: { token: string }): Promise<Account> => {
    const made = await ask(as, 'POST', `/users/${name}/tokens`, { name: `suite-${mark}`, scopes: ['all'] })
    const { id } = await ask({ token: made.sha1 }, 'GET', '/user')
    return { id: String(id), name, token: made.sha1 }
  }
  const owner = await token(login.split(':')[0]!, admin)
  const repository = await ask(owner, 'POST', '/user/repos', { name: `shop-${mark}`, default_branch: 'main' })
  const path: string = repository.full_name
  const accounts: { [name: string]: Account } = { owner }
  for (const [who, permission] of [
    ['bot', 'admin'],
    ['author', 'write'],
    ['reviewer', 'write'],
    ['second', 'write'],
  ]) {
    const username = `${who}-${mark}`
    const password = randomBytes(12).toString('hex')
    const email = `${username}@example.test`
    await ask(admin, 'POST', '/admin/users', { username, email, password, must_change_password: false })
    await ask(owner, 'PUT', `/repos/${path}/collaborators/${username}`, { permission })
    accounts[who!] = await token(username, basic(`${username}:${password}`))
  }
  return { address, path, accounts: accounts as GiteaPlace['accounts'] }
}
