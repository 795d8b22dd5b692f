import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const MAIN = `import { createElement, useState } from 'react'
import { createRoot } from 'react-dom/client'
function Page() {
  const [text, setText] = useState('')
  const [pressed, setPressed] = useState(false)
  const field = createElement('input', { type: 'search', value: text, onChange: (event) => setText(event.target.value) })
  const button = createElement('button', { 'aria-pressed': pressed, onClick: () => setPressed(!pressed) }, 'Failed')
  return createElement('main', null, createElement('h1', null, 'There it is'), field, button)
}
createRoot(document.getElementById('root')).render(createElement(Page))
`
const TYPES: { [extension: string]: string } = { '.html': 'text/html', '.js': 'text/javascript' }

/**
 * React, its renderer, a heading, a field and a button, built and packed as our pages are: what any page of it costs. Served from
 * memory.
 */
export async function startEmptyPage(directory: string): Promise<{ url: string; close(): void }> {
  const root = join(directory, 'empty')
  mkdirSync(root)
  writeFileSync(join(root, 'index.html'), '<div id="root"></div><script type="module" src="./main.js"></script>')
  writeFileSync(join(root, 'main.js'), MAIN)
  const modules = join(import.meta.dirname, '..', '..', 'node_modules')
  const alias = { 'react-dom': join(modules, 'react-dom'), react: join(modules, 'react') }
  await build({ configFile: false, root, logLevel: 'silent', resolve: { alias } })
  const packed = new Map<string, Buffer>()
  const server = createServer((request, answer) => {
    const path = request.url === '/' ? '/index.html' : request.url!
    try {
      const content = packed.get(path) ?? gzipSync(readFileSync(join(root, 'dist', path)))
      packed.set(path, content)
      answer.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain')
      answer.setHeader('content-encoding', 'gzip').setHeader('content-length', content.length).end(content)
    } catch {
      answer.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => void server.close() }
}
