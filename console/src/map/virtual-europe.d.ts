declare module 'virtual:europe' {
  export const countries: readonly { id: string; outline: string }[]
  /** A Mercator projection: `x = mercator.x + scale * longitude`, in radians. */
  export const mercator: { scale: number; x: number; y: number; width: number; height: number }
}
