import ReactMarkdown from 'react-markdown'
import remarkGfm from 'remark-gfm'

const PLUGINS = [remarkGfm]
/** Pictures of other sites would tell them who reads; a link says where it goes and takes nothing along. */
const PARTS = {
  img: ({ alt, src }: { alt?: string; src?: string | Blob }) => (
    <span>
      [{alt || 'picture'}: {typeof src === 'string' ? src : ''}]
    </span>
  ),
  a: ({ href, children }: { href?: string; children?: React.ReactNode }) => (
    <a href={href} rel="noreferrer noopener nofollow" target="_blank">
      {children}
    </a>
  ),
}

export function MarkdownRendered({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={PARTS}>
      {text}
    </ReactMarkdown>
  )
}
