/**
 * Stands for an object that is made anew for each test: every access goes to the one of the test that is running. So that
 * what a hook makes can be named once, where the tests begin, and need not be a variable that the hook fills.
 */
export function standIn<T extends object>(current: () => T | undefined): T {
  const real = (): T => {
    const object = current()
    if (!object) throw new Error('used outside of a test and its hooks')
    return object
  }
  return new Proxy({} as T, {
    get: (_, name) => Reflect.get(real(), name),
    set: (_, name, value) => Reflect.set(real(), name, value),
  })
}
