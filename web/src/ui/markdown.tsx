import { lazy, Suspense } from 'react'

const Rendered = lazy(() =>
  import('./markdown-rendered.tsx').then(({ MarkdownRendered }) => ({ default: MarkdownRendered })),
)

/** Text of people as Markdown; its own HTML stays text. Plain until the renderer is there. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="prose-comment">
      <Suspense
        fallback={
          <p aria-busy="true" className="whitespace-pre-wrap">
            {text}
          </p>
        }
      >
        <Rendered text={text} />
      </Suspense>
    </div>
  )
}
