import { lackingText, type SignatureFacts } from '../../signatures/facts.ts'
import type { Requirement } from '../facts.ts'
import { type ChangeKind, listed, met, unmet, warning } from './kind.ts'

/**
 * Asked for each environment that wants signatures, also where the MR has no stack of it: what comes to the branch now is a
 * part of what is deployed there later.
 */
export const signatures: ChangeKind = ({ signatures: facts = [] }) =>
  facts.flatMap((of) => [...commits(of), ...merges(of)])

function commits({ environment, require, commits: count, signers, lacking }: SignatureFacts): Requirement[] {
  if (!require.includes('commits')) return []
  if (lacking.length > 0) {
    const next =
      'Have them signed by a key that counts and push again; a bypass merges them, and they are not deployed.'
    return [unmet('signatures', `not signed as asked for: ${listed(lacking.map(lackingText))}`, next, environment)]
  }
  const by = signers.length > 0 ? ` by ${listed(signers)}` : ''
  const text = count === 1 ? `its commit is signed${by}` : `all ${count} commits are signed${by}`
  return [met('signatures', text, environment)]
}

function merges({ environment, require, mergeSigner }: SignatureFacts): Requirement[] {
  if (!require.includes('merges')) return []
  if (mergeSigner !== null) return [met('signatures', `its merge is signed by ${mergeSigner}`, environment)]
  const next = 'It is deployed only if the key that signs the merge there is among the signers.'
  return [warning('signatures', 'nobody knows yet who signs the merge', next, environment)]
}
