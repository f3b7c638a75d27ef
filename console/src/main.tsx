import { QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { answers } from './api/use-api.ts'
import { routes } from './frame/routes.tsx'
import { beginTheme } from './frame/theme.ts'
import './look/tokens.css'
import { beginTexts } from './texts/texts.ts'

beginTheme()
await beginTexts()
const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <QueryClientProvider client={answers}>
    <RouterProvider router={routes} />
  </QueryClientProvider>,
)
