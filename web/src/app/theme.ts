export type Theme = 'system' | 'light' | 'dark'
const KEY = 'trueup.theme'

export const theme = (): Theme => (localStorage.getItem(KEY) as Theme | null) ?? 'system'

/** Keeps the choice and shows it; `system` follows the machine. */
export function setTheme(choice: Theme): void {
  if (choice === 'system') localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, choice)
  applyTheme()
}

export function applyTheme(): void {
  const choice = theme()
  if (choice === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = choice
}
