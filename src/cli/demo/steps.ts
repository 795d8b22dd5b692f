import type { Output } from '../output.ts'

/** Runs one step after the other and says what each did and how long it took. */
export interface Steps {
  /** Runs `work`; what it returns is said behind the step's name. A throw ends the demo with that step named. */
  step<T>(name: string, work: () => Promise<T>, say?: (result: T) => string): Promise<T>
  /** Says that something is not shown here, and what is missing for it. */
  leftOut(name: string, missing: string): void
  readonly passed: number
  readonly timings: { name: string; milliseconds: number; said: string }[]
}

export function createSteps(output: Output): Steps {
  const timings: Steps['timings'] = []
  return {
    timings,
    get passed() {
      return timings.length
    },
    leftOut: (name, missing) => output.note(`${output.paint('yellow', 'left out', 'err')}  ${name}: ${missing}`),
    async step(name, work, say) {
      if (output.live) output.progress(`…  ${name}`)
      const started = performance.now()
      try {
        const result = await work()
        const milliseconds = Math.round(performance.now() - started)
        const said = say?.(result) ?? ''
        timings.push({ name, milliseconds, said })
        output.endProgress()
        const time = `${(milliseconds / 1000).toFixed(2)} s`.padStart(8)
        output.note(
          `${output.paint('green', 'ok', 'err')} ${time}  ${name}${said ? output.paint('dim', `  ${said}`, 'err') : ''}`,
        )
        return result
      } catch (error) {
        output.endProgress()
        output.note(`${output.paint('red', 'FAILED', 'err')}  ${name}`)
        throw error
      }
    },
  }
}
