import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark'

const kept = 'pelago-theme'
const wish = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

/** What somebody chose here, or what the system wishes. */
export function theme(): Theme {
  const chosen = localStorage.getItem(kept)
  if (chosen === 'light' || chosen === 'dark') return chosen
  return wish.matches ? 'dark' : 'light'
}

export function beginTheme(): void {
  document.documentElement.dataset.theme = theme()
  wish.addEventListener('change', show)
}

export function chooseTheme(wished: Theme): void {
  localStorage.setItem(kept, wished)
  show()
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, theme)
}

function show(): void {
  document.documentElement.dataset.theme = theme()
  for (const listener of listeners) listener()
}
