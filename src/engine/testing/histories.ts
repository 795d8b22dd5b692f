import fc from 'fast-check'

/** What happens to the file of the stack; places are taken modulo what is there. */
export type Edit =
  | { edit: 'add' | 'import'; address: string; value: string }
  | { edit: 'change' | 'replace' | 'remove'; line: number; value: string }
  | { edit: 'move'; line: number; address: string }

export type Who = 'author' | 'reviewer' | 'second'

/** How somebody loses the right to vote. */
export type Loss = 'reader' | 'removed' | 'disabled'

/** One thing that happens; merge requests and runs that it names are those there are, modulo their number. */
export type Step =
  /** A merge request: who pushes to it after its author, who votes, and who of them may not any more when it is merged. */
  | {
      step: 'change'
      by: Who
      pusher: Who | null
      edits: Edit[][]
      voters: Who[]
      against: Who | null
      loss: [Who, Loss] | null
    }
  | { step: 'vote'; mr: number; by: Who }
  | { step: 'merge'; mr: number }
  | { step: 'close'; mr: number }
  /** Of the stack, or of the merge behind one of its deployments; `voter` approves what is not merged by itself. */
  | { step: 'rollback'; by: Who; whole: boolean; run: number; voter: Who | null }
  | { step: 'release'; by: Who }
  | { step: 'fail'; address: string }
  | { step: 'blind'; blind: boolean }
  | { step: 'check' }

export interface History {
  rules: { onFailure: 'stop' | 'rollback'; rollback: 'none' | 'one' | 'same' }
  steps: Step[]
}

const address = fc.constantFrom('a', 'b', 'c', 'd')
const line = fc.nat(3)
const value = fc.constantFrom('1', '2', '3')
const who = fc.constantFrom<Who>('author', 'reviewer', 'second')
const mr = fc.nat(3)

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ edit: fc.constantFrom('add' as const, 'import' as const), address, value }),
  fc.record({ edit: fc.constantFrom('change' as const, 'replace' as const, 'remove' as const), line, value }),
  fc.record({ edit: fc.constant('move' as const), line, address }),
)
const edits = fc.array(edit, { minLength: 1, maxLength: 3 })

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null, freq: 2 })
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const fixed = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name)

const change = fc.record({
  step: fixed('change'),
  by: who,
  pusher: maybe(who),
  edits: fc.tuple(edits, edits).map((both): Edit[][] => both),
  voters: fc.uniqueArray(who, { minLength: 1, maxLength: 2 }),
  against: seldom(who),
  loss: maybe(fc.tuple(who, fc.constantFrom<Loss>('reader', 'removed', 'disabled'))),
})

const rollback = fc.record({
  step: fixed('rollback'),
  by: who,
  whole: fc.boolean(),
  run: fc.nat(3),
  voter: maybe(who),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: change },
  { weight: 1, arbitrary: fc.record({ step: fixed('vote'), mr, by: who }) },
  { weight: 1, arbitrary: fc.record({ step: fixed('merge'), mr }) },
  { weight: 1, arbitrary: fc.record({ step: fixed('close'), mr }) },
  { weight: 5, arbitrary: rollback },
  { weight: 2, arbitrary: fc.record({ step: fixed('release'), by: who }) },
  { weight: 2, arbitrary: fc.record({ step: fixed('fail'), address }) },
  { weight: 2, arbitrary: fc.record({ step: fixed('blind'), blind: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ step: fixed('check') }) },
)

const FIRST: Edit[] = [
  { edit: 'add', address: 'a', value: '1' },
  { edit: 'import', address: 'b', value: '1' },
]

/** What a rollback of it may delete, and what it may not: something made or imported, something moved or made. */
const second: fc.Arbitrary<Edit[]> = fc.tuple(
  fc.record({ edit: fc.constantFrom('add' as const, 'import' as const), address: fc.constant('c'), value }),
  fc.oneof(
    fc.record({ edit: fc.constant('move' as const), line, address: fc.constant('d') }),
    fc.record({ edit: fc.constantFrom('add' as const, 'import' as const), address: fc.constant('d'), value }),
  ),
)

const merged = (first: Edit[]): Step => ({
  step: 'change',
  by: 'author',
  pusher: null,
  edits: [first],
  voters: ['reviewer'],
  against: null,
  loss: null,
})

/** A change that only somebody has voted for who may not: for having pushed to it, or for having lost the right since. */
const unworthy: fc.Arbitrary<Step> = fc
  .record({
    edits,
    who: fc.constantFrom<[Who, Who]>(['author', 'second'], ['second', 'reviewer'], ['reviewer', 'author']),
    loss: maybe(fc.constantFrom<Loss>('reader', 'removed', 'disabled')),
  })
  .map(({ edits: all, who: [by, voter], loss }) => ({
    step: 'change',
    by,
    pusher: loss === null ? voter : null,
    edits: [all, []],
    voters: [voter],
    against: null,
    loss: loss && [voter, loss],
  }))

/** Begins with two changes that are merged, a rollback, and two that must not be merged, so that none is empty. */
export const histories = (steps: number): fc.Arbitrary<History> =>
  fc.record({
    rules: fc.record({
      onFailure: fc.constantFrom('stop' as const, 'rollback' as const),
      rollback: fc.constantFrom('none' as const, 'none' as const, 'one' as const, 'same' as const),
    }),
    steps: fc
      .tuple(second, rollback, unworthy, unworthy, fc.array(step, { minLength: steps, maxLength: steps }))
      .map(([change2, back, one, two, rest]): Step[] => [
        merged(FIRST),
        merged(change2),
        { ...back, by: 'author', run: 0, voter: 'second' },
        one,
        two,
        ...rest,
      ]),
  })

/** The lines of the stack's file after edits. Of what is moved every second leaves its place to a new one. */
export function edited(text: string, all: readonly Edit[]): string {
  let lines = text.split('\n').filter(Boolean)
  const nameOf = (one: string): string => /^\w+/.exec(one)![0]
  const put = (name: string, rest: string): void => {
    lines = [...lines.filter((one) => nameOf(one) !== name), `${name}${rest}`]
  }
  for (const each of all) {
    const at = 'line' in each ? lines[each.line % Math.max(lines.length, 1)] : undefined
    if (each.edit === 'add') put(each.address, `=${each.value}`)
    else if (each.edit === 'import') put(each.address, '@')
    else if (at === undefined) continue
    else if (each.edit === 'change') put(nameOf(at), `=${each.value}`)
    else if (each.edit === 'replace') put(nameOf(at), `=!${each.value}`)
    else if (each.edit === 'remove') lines = lines.filter((one) => one !== at)
    else if (each.edit === 'move' && nameOf(at) !== each.address) {
      const [name, stays] = [nameOf(at), each.line % 2 === 1]
      if (!stays) lines = lines.filter((one) => one !== at)
      put(each.address, `<${name}`)
    }
  }
  return lines.map((one) => `${one}\n`).join('')
}
