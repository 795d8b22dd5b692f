/** Answers about objects, which never change: the same question is answered once, also when it is asked twice at a time. */
export interface Remembered<Answer> {
  /** `worthKeeping` may refuse an answer that is too large. */
  answer(question: string, find: () => Promise<Answer>, worthKeeping?: (answer: Answer) => boolean): Promise<Answer>
}

/** Keeps that many, the oldest go first; an error is not kept. */
export function createRemembered<Answer>(limit: number): Remembered<Answer> {
  const answers = new Map<string, Promise<Answer>>()
  return {
    answer(question, find, worthKeeping = () => true) {
      const known = answers.get(question)
      if (known) return known
      const made = find()
      if (answers.size >= limit) answers.delete(answers.keys().next().value!)
      answers.set(question, made)
      const forget = (): void => {
        if (answers.get(question) === made) answers.delete(question)
      }
      made.then((answer) => worthKeeping(answer) || forget(), forget)
      return made
    },
  }
}
