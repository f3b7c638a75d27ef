import type { ReactNode } from 'react'

/** One pen for all: 24 units, 1.75 wide, round ends. They decorate; what they mean stands beside them or in a label. */
const drawn = (name: string, shape: ReactNode) => {
  const Icon = ({ size = 20 }: { size?: number }) => (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {shape}
    </svg>
  )
  Icon.displayName = name
  return Icon
}

export const Harbour = drawn('Harbour', <path d="M4 20h16M6 20V9l6-5 6 5v11M10 20v-5h4v5M9.5 10.500h5" />)
export const Barrel = drawn(
  'Barrel',
  <>
    <ellipse cx="12" cy="6" rx="7" ry="2.6" />
    <path d="M5 6v12c0 1.4 3.1 2.6 7 2.600s7-1.2 7-2.600V6M5 12c0 1.4 3.1 2.6 7 2.600s7-1.2 7-2.6" />
  </>,
)
export const Crew = drawn(
  'Crew',
  <>
    <circle cx="9" cy="8" r="3.2" />
    <path d="M3.5 19.500c.5-3.5 2.7-5.5 5.5-5.500s5 2 5.5 5.500M16 5.200a3.2 3.2 0 0 1 0 5.600M17.5 14.300c1.9.8 3 2.6 3.3 5.2" />
  </>,
)
export const Key = drawn(
  'Key',
  <>
    <circle cx="8" cy="15.5" r="4" />
    <path d="m11 12.7 8.5-8.500M16 7.700l2.8 2.800M13.5 10.200l1.7 1.7" />
  </>,
)
export const Book = drawn(
  'Book',
  <path d="M5 4.500h11a3 3 0 0 1 3 3v12H8a3 3 0 0 1-3-3zM5 16.500a3 3 0 0 1 3-3h11M9 8.500h6" />,
)
export const Wheel = drawn(
  'Wheel',
  <>
    <circle cx="12" cy="12" r="6" />
    <circle cx="12" cy="12" r="1.6" />
    <path d="M12 2.500v7.900M12 13.600v7.900M2.5 12h7.900M13.6 12h7.900M5.3 5.300l5.6 5.600M13.1 13.100l5.6 5.600M18.7 5.300l-5.6 5.600M10.9 13.100l-5.6 5.6" />
  </>,
)
export const Search = drawn(
  'Search',
  <>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="m15 15 5.5 5.5" />
  </>,
)
export const Sun = drawn(
  'Sun',
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.500v2.500M12 19v2.500M2.5 12H5M19 12h2.500M5.3 5.3 7 7M17 17l1.7 1.700M18.7 5.3 17 7M7 17l-1.7 1.7" />
  </>,
)
export const Moon = drawn('Moon', <path d="M20 14.200A8.2 8.2 0 0 1 9.8 4 8.2 8.2 0 1 0 20 14.200z" />)
export const Check = drawn('Check', <path d="m4.5 12.5 5 5 10-11" />)
export const Alert = drawn('Alert', <path d="M12 4 2.8 19.500h18.400zM12 10v4.500M12 17.200v.1" />)
export const Stop = drawn('Stop', <path d="M12 3.500v8M6.8 6.800a7.5 7.5 0 1 0 10.4 0" />)
export const Play = drawn('Play', <path d="M8 5.500v13l10.5-6.500z" />)
export const Copy = drawn('Copy', <path d="M8.5 8.500h11v11h-11zM15.5 8.500v-4h-11v11h4" />)
export const Plus = drawn('Plus', <path d="M12 5v14M5 12h14" />)
export const Leave = drawn('Leave', <path d="M14 4.500h5.500v15H14M10 8l-4.5 4L10 16M6 12h9" />)
export const Globe = drawn(
  'Globe',
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M3.5 12h17M12 3.500c2.6 2.3 3.9 5.2 3.9 8.500s-1.3 6.2-3.9 8.500c-2.6-2.3-3.9-5.2-3.9-8.500S9.4 5.8 12 3.500z" />
  </>,
)
