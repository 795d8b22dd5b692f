import { isValidElement } from 'react'
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

/** Blocks that the page shows as a difference instead. */
const SUGGESTED = /^language-suggestion(?:$|:)/
const WITHOUT_SUGGESTIONS = {
  ...PARTS,
  pre: ({ children }: { children?: React.ReactNode }) =>
    isValidElement<{ className?: string }>(children) && SUGGESTED.test(children.props.className ?? '') ? null : (
      <pre>{children}</pre>
    ),
}

export function MarkdownRendered({ text, suggestions }: { text: string; suggestions: boolean }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={suggestions ? PARTS : WITHOUT_SUGGESTIONS}>
      {text}
    </ReactMarkdown>
  )
}
