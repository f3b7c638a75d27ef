import { Barrel, Book, Crew, Harbour, Key, Wheel } from '../look/icons.tsx'

/** The pages of the console: the menu and the palette walk over them. */
export const places = [
  { path: '/', name: 'start', Icon: Harbour, roles: ['owner', 'admin', 'operator', 'auditor'] },
  { path: '/storage', name: 'storage', Icon: Barrel, roles: ['owner', 'admin', 'operator', 'auditor'] },
  { path: '/people', name: 'people', Icon: Crew, roles: ['owner', 'admin', 'auditor'] },
  { path: '/keys', name: 'keys', Icon: Key, roles: ['owner', 'admin', 'auditor'] },
  { path: '/jobs', name: 'jobs', Icon: Wheel, roles: ['owner', 'admin', 'operator', 'auditor'] },
  { path: '/log', name: 'log', Icon: Book, roles: ['owner', 'admin', 'auditor'] },
] as const

export type PlaceName = (typeof places)[number]['name']
