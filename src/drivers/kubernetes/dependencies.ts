import type { ListFiles, ReadFile } from '../driver.ts'
import type { KubernetesConfig } from './config.ts'
export function dependencies(
  _read: ReadFile,
  _list: ListFiles,
  _path: string,
  _config: KubernetesConfig,
): Promise<string[]> {
  return Promise.resolve([])
}
