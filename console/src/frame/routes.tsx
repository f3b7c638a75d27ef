import { lazy } from 'react'
import { createBrowserRouter } from 'react-router'
import { StartPage } from '../pages/start/start-page.tsx'
import { Broken } from './broken.tsx'
import { MissingPage } from './missing-page.tsx'
import { Shell } from './shell.tsx'

// Everything but the first page comes when it is asked for.
const StoragePage = lazy(() =>
  import('../pages/storage/storage-page.tsx').then((page) => ({ default: page.StoragePage })),
)
const PeoplePage = lazy(() => import('../pages/people/people-page.tsx').then((page) => ({ default: page.PeoplePage })))
const KeysPage = lazy(() => import('../pages/people/keys-page.tsx').then((page) => ({ default: page.KeysPage })))
const JobsPage = lazy(() => import('../pages/jobs/jobs-page.tsx').then((page) => ({ default: page.JobsPage })))
const LogPage = lazy(() => import('../pages/log/log-page.tsx').then((page) => ({ default: page.LogPage })))

export const routes = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Broken />,
    children: [
      { path: '/', element: <StartPage /> },
      { path: '/storage', element: <StoragePage /> },
      { path: '/people', element: <PeoplePage /> },
      { path: '/keys', element: <KeysPage /> },
      { path: '/jobs', element: <JobsPage /> },
      { path: '/log', element: <LogPage /> },
      { path: '*', element: <MissingPage /> },
    ],
  },
])
