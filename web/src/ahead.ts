import { type Ahead, firstAddresses } from './first-addresses.ts'

/**
 * Runs before the application has come: asks for what the page will show first, and for the page's own code, while the
 * browser still reads the large script. Small, and needs nothing of it.
 */
const { pathname, search } = window.location
const ahead: Ahead = new Map()
for (const address of firstAddresses(pathname, search)) {
  const answer = fetch(address, { headers: { 'x-trueup-client': 'web' }, cache: 'no-store' })
  // Whoever takes it sees the error; nobody may come for it.
  answer.catch(() => undefined)
  ahead.set(address, answer)
}
window.trueupAhead = ahead

const files = document.querySelector<HTMLScriptElement>('script[data-overview]')?.dataset['overview']
if (files && /^\/r\/[^/]+\/?$/.test(pathname))
  for (const file of files.split(' ')) {
    const link = document.createElement('link')
    link.rel = 'modulepreload'
    link.href = file
    document.head.append(link)
  }
