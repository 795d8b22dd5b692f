import type { ReadFile } from '../driver.ts'
export function detect(_files: readonly string[], _read: ReadFile): Promise<{ path: string }[]> {
  return Promise.resolve([])
}
