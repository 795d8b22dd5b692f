/**
 * The `module` blocks of HCL text, by a scan of its tokens: some microseconds a file, where the whole parser takes 300 and
 * a repository of 10,000 stacks has 50,000 files. Null for text that the scan does not understand, which is then the
 * parser's to judge: strings with templates or escapes as a source, and whatever is no HCL.
 */
export function moduleCalls(text: string): { name: string; source: string }[] | null {
  const found: { name: string; source: string }[] = []
  const end = scanBody(text, 0, (block, body) => {
    if (block.type !== 'module' || block.labels.length !== 1) return skipBlock(text, body)
    let source: string | null = null
    const after = scanBody(
      text,
      body,
      (_nested, nestedBody) => skipBlock(text, nestedBody),
      (name, value) => {
        if (name === 'source') source = value
      },
    )
    if (source === null || text[after] !== '}') return STOP
    found.push({ name: block.labels[0]!, source })
    return after + 1
  })
  return end === text.length ? found : null
}

/** Not understood: an unfinished string or block, or something that stands where it should not. */
const STOP = -1
const BLANK = /(?:\s|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)*/y
const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy
const HEREDOC = /<<-?([\p{L}_][\p{L}\p{N}_-]*)\r?\n/uy
/** A string without templates and escapes, and nothing behind it on its line but a comment. */
const PLAIN_VALUE = /"([^"\\$%\n]*)"[ \t]*(?=\r?\n|#|\/\/|\}|$)/y

interface Block {
  type: string
  labels: string[]
}

/** Reads attributes and blocks up to a `}` or the end, whose place it returns. */
function scanBody(
  text: string,
  from: number,
  onBlock: (block: Block, body: number) => number,
  onAttribute?: (name: string, value: string | null) => void,
): number {
  for (let at = from; ; ) {
    at = matchAt(BLANK, text, at)?.end ?? STOP
    if (at === STOP || at >= text.length || text[at] === '}') return at
    const name = matchAt(NAME, text, at)
    if (!name) return STOP
    at = matchAt(BLANK, text, name.end)!.end
    if (text[at] === '=' && text[at + 1] !== '=') {
      at = matchAt(/[ \t]*/y, text, at + 1)!.end
      onAttribute?.(name.text, matchAt(PLAIN_VALUE, text, at)?.groups[0] ?? null)
      at = skipExpression(text, at)
    } else {
      const labels: string[] = []
      while (text[at] !== '{') {
        const label = matchAt(/"([^"\\$%\n]*)"/y, text, at) ?? matchAt(NAME, text, at)
        if (!label) return STOP
        labels.push(label.groups[0] ?? label.text)
        at = matchAt(/[ \t]*/y, text, label.end)!.end
      }
      at = onBlock({ type: name.text, labels }, at + 1)
    }
    if (at === STOP) return STOP
  }
}

/** Place behind the `}` of a block whose body begins here. */
function skipBlock(text: string, body: number): number {
  const end = skipNested(text, body, false)
  return text[end] === '}' ? end + 1 : STOP
}

/** Place of the line feed or the `}` that ends an expression, or of the text's end. */
function skipExpression(text: string, from: number): number {
  const end = skipNested(text, from, true)
  return end === text.length || text[end] === '\n' || text[end] === '}' ? end : STOP
}

/** Goes over everything that brackets, strings, heredocs and comments enclose, to the bracket that closes what was open before. */
function skipNested(text: string, from: number, endsWithLine: boolean): number {
  let depth = 0
  for (let at = from; at < text.length; ) {
    const character = text[at]!
    if (character === '"') at = skipString(text, at)
    else if (character === '#' || (character === '/' && (text[at + 1] === '/' || text[at + 1] === '*')))
      at = skipComment(text, at)
    else if (character === '<' && text[at + 1] === '<') at = skipHeredoc(text, at)
    else {
      if (character === '{' || character === '[' || character === '(') depth++
      else if (character === '}' || character === ']' || character === ')') depth--
      if (depth < 0 || (endsWithLine && depth === 0 && character === '\n')) return at
      at++
    }
    if (at === STOP) return STOP
  }
  return endsWithLine && depth === 0 ? text.length : STOP
}

/** Place of the line feed behind the comment, or behind its end mark. */
function skipComment(text: string, from: number): number {
  if (text[from + 1] === '*') {
    const end = text.indexOf('*/', from + 2)
    return end === -1 ? STOP : end + 2
  }
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** Place behind the closing quote; templates in it nest, with strings of their own. */
function skipString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; ) {
    const character = text[at]!
    if (character === '"') return at + 1
    if (character === '\n') return STOP
    if (character === '\\') at += 2
    else if ((character === '$' || character === '%') && text[at + 1] === character && text[at + 2] === '{') at += 3
    else if ((character === '$' || character === '%') && text[at + 1] === '{') {
      at = skipNested(text, at + 2, false)
      if (text[at++] !== '}') return STOP
    } else at++
  }
  return STOP
}

function skipHeredoc(text: string, from: number): number {
  const opening = matchAt(HEREDOC, text, from)
  if (!opening) return STOP
  const end = `\n${opening.groups[0]}`
  for (let at = opening.end - 1; at !== -1; at = text.indexOf('\n', at + 1)) {
    const line = text.indexOf('\n', at + 1)
    const last = line === -1 ? text.length : line
    if (`\n${text.slice(at + 1, last).trim()}` === end) return last
  }
  return STOP
}

function matchAt(pattern: RegExp, text: string, at: number): { text: string; end: number; groups: string[] } | null {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match && { text: match[0], end: pattern.lastIndex, groups: match.slice(1) }
}
