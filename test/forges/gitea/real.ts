import { randomBytes } from 'node:crypto'
import { type Account, type Answer, askApi, type Place } from '../place.ts'

/** Asks the API as somebody, by a token or by name and password. */
export const giteaAsks =
  (address: string) =>
  (
    { token }: Pick<Account, 'token'>,
    method: string,
    path: string,
    body?: object,
    fine: number[] = [],
  ): Promise<Answer> =>
    askApi(
      `${address}/api/v1${path}`,
      { authorization: token.startsWith('Basic ') ? token : `token ${token}` },
      { method, body, fine, forbidden: 422 },
    )

/** Makes a repository and accounts of its own on a real Gitea; `where`: address, comma, name and password of an administrator. */
export async function realGitea(where: string): Promise<Place> {
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
    ['outsider', 'none'],
  ]) {
    const username = `${who}-${mark}`
    const password = randomBytes(12).toString('hex')
    const email = `${username}@example.test`
    await ask(admin, 'POST', '/admin/users', { username, email, password, must_change_password: false })
    if (permission !== 'none') await ask(owner, 'PUT', `/repos/${path}/collaborators/${username}`, { permission })
    accounts[who!] = await token(username, basic(`${username}:${password}`))
  }
  return { address, path, accounts: accounts as Place['accounts'] }
}
