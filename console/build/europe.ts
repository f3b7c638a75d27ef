import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type GeoStream, geoBounds, geoMercator, geoPath } from 'd3-geo'
import type { FeatureCollection, Geometry } from 'geojson'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import type { Plugin } from 'vite'

/** Size of the drawing; `map/europe.tsx` scales it. */
const width = 720
const height = 700
/** From Cape St Vincent to the Dnieper, from Crete to the middle of Finland: where providers are. */
const corners = [
  [-10.5, 36],
  [30.5, 36],
  [30.5, 62.5],
  [-10.5, 62.5],
] as const

/**
 * Draws Europe while the console is built, so that no browser fetches tiles or projects coastlines: `virtual:europe` holds the land's
 * outline, the borders and the function's parameters that place a point on it.
 * Source: world-atlas 2 (Natural Earth, public domain), 1:50m.
 */
export function europe(): Plugin {
  const name = 'virtual:europe'
  return {
    name: 'europe',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => (id === `\0${name}` ? drawn() : undefined),
  }
}

function drawn(): string {
  const file = createRequire(import.meta.url).resolve('world-atlas/countries-50m.json')
  const atlas = JSON.parse(readFileSync(file, 'utf8')) as Topology<{
    countries: GeometryCollection<{ name: string }>
  }>
  const all = feature(atlas, atlas.objects.countries) as FeatureCollection<Geometry, { name: string }>
  const near = all.features.filter((country) => {
    const [[west, south], [east, north]] = geoBounds(country)
    return west < 45 && east > -26 && north > 30 && south < 72 && east > west
  })
  const frame = { type: 'MultiPoint' as const, coordinates: corners.map(([x, y]) => [x, y]) }
  const projection = geoMercator().fitExtent(
    [
      [0, 0],
      [width, height],
    ],
    frame,
  )
  projection.clipExtent([
    [-4, -4],
    [width + 4, height + 4],
  ])
  const path = geoPath({ stream: (out) => projection.stream(thinned(out)) }).digits(1)
  const countries = near.flatMap((country) => {
    const outline = path(country)
    return outline && outline.length > 40 ? [{ id: String(country.id), outline }] : []
  })
  const [x, y] = projection.translate()
  const parameters = { scale: projection.scale(), x, y, width, height }
  return `export const countries = ${JSON.stringify(countries)}\nexport const mercator = ${JSON.stringify(parameters)}`
}

/** Points of an outline lie at least so far apart, in units of the drawing: nearer ones nobody sees. */
const apart = 1.6

function thinned(out: GeoStream): GeoStream {
  let [lastX, lastY] = [Number.NaN, Number.NaN]
  return {
    lineStart() {
      lastX = lastY = Number.NaN
      out.lineStart()
    },
    point(x, y) {
      if (Math.hypot(x - lastX, y - lastY) < apart) return
      ;[lastX, lastY] = [x, y]
      out.point(x, y)
    },
    lineEnd: () => out.lineEnd(),
    polygonStart: () => out.polygonStart(),
    polygonEnd: () => out.polygonEnd(),
  }
}
