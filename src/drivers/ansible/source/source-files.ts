import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type ScalarTag, visit } from 'yaml'

export interface YamlText {
  value: string
  line: number
}

/** Ansible's own tags, which are just texts here. */
const TAGS: ScalarTag[] = ['!vault', '!unsafe', '!vault-encrypted'].map((tag) => ({ tag, resolve: (value) => value }))

export const isYaml = (path: string): boolean => /\.ya?ml$/.test(path)

/** The root of a YAML file and where its nodes stand, or null where it cannot be read. */
export function readDocument(text: string): { root: Node; lineOf: (node: unknown) => number } | null {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, customTags: TAGS, logLevel: 'silent', uniqueKeys: false })
  if (document.errors.length > 0 || document.contents === null) return null
  const lineOf = (node: unknown): number => lines.linePos((node as Node).range?.[0] ?? 0).line
  return { root: document.contents as Node, lineOf }
}

/** Whether this is a playbook: a list of plays. */
export function isPlaybook(text: string): boolean {
  if (!/^\s*-\s|^\s+(hosts|import_playbook)|hosts\s*:/m.test(text)) return false
  const root = readDocument(text)?.root
  if (!isSeq(root) || root.items.length === 0) return false
  return root.items.every(
    (item) =>
      isMap(item) && ['hosts', 'import_playbook', 'ansible.builtin.import_playbook'].some((key) => item.has(key)),
  )
}

/** Every text of the document that is a value. */
export function textsOf(text: string): YamlText[] {
  const document = readDocument(text)
  if (document === null) return []
  const found: YamlText[] = []
  visit(document.root, {
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string')
        found.push({ value: node.value, line: document.lineOf(node) })
    },
  })
  return found
}

/** Lines at which a task or block turns check mode off for itself. */
export function checkModeOff(text: string): number[] {
  if (!text.includes('check_mode')) return []
  const document = readDocument(text)
  if (document === null) return []
  const lines: number[] = []
  visit(document.root, {
    Pair(_key, { key, value }) {
      if (isScalar(key) && key.value === 'check_mode' && isScalar(value) && OFF.has(String(value.value).toLowerCase()))
        lines.push(document.lineOf(key))
    },
  })
  return lines
}

/**
 * The files without those of roles that nothing names: a directory of roles is often shared by many playbooks. A role counts
 * as used where its name stands in a file that counts, so that rather one too many does.
 */
export function usedFiles(files: ReadonlyMap<string, string>): Map<string, string> {
  const byRole = Map.groupBy(files, ([path]) => /^roles\/([^/]+)\//.exec(path)?.[1] ?? null)
  const used = new Map(byRole.get(null) ?? [])
  const left = new Set([...byRole.keys()].filter((role) => role !== null))
  for (let texts = [...used.values()]; texts.length > 0; ) {
    const named = [...left].filter((role) => texts.some((text) => names(text, role)))
    texts = []
    for (const role of named) {
      left.delete(role)
      for (const [path, text] of byRole.get(role) ?? []) {
        used.set(path, text)
        texts.push(text)
      }
    }
  }
  return used
}

function names(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!/[\w-]/.test(text[at - 1] ?? ' ') && !/[\w-]/.test(text[at + word.length] ?? ' ')) return true
  }
  return false
}

const OFF = new Set(['false', 'no', 'off', '0'])
