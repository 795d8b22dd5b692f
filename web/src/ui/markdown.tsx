import { lazy, Suspense } from 'react'

const Rendered = lazy(() =>
  import('./markdown-rendered.tsx').then(({ MarkdownRendered }) => ({ default: MarkdownRendered })),
)

/** Text of people as Markdown; its own HTML stays text. Plain until the renderer is there. `suggestions`: as the code they are. */
export function Markdown({ text, suggestions = true }: { text: string; suggestions?: boolean }) {
  return (
    <div className="prose-comment">
      <Suspense
        fallback={
          <p aria-busy="true" className="whitespace-pre-wrap">
            {text}
          </p>
        }
      >
        <Rendered text={text} suggestions={suggestions} />
      </Suspense>
    </div>
  )
}
