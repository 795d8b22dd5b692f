import { Link } from '@tanstack/react-router'
import { t } from '../../strings/stack.ts'
import { Panel } from '../../ui/basics.tsx'

/** Owners, labels and tools; each leads to all stacks that have it. */
export function Facets({ repository, words }: { repository: string; words: readonly string[] }) {
  if (words.length === 0) return null
  return (
    <Panel title={t.ownersAndLabels}>
      <ul className="flex flex-wrap gap-1.5">
        {words.map((word) => (
          <li key={word}>
            <Link
              to="/r/$repository"
              params={{ repository }}
              search={{ q: word }}
              className="block rounded border border-line bg-sunken px-1.5 py-0.5 text-sm wrap-anywhere hover:border-accent"
            >
              {word}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
