import { countries, mercator } from 'virtual:europe'
import { capitals } from './capitals.ts'
import css from './europe.module.css'

export type Mark = {
  id: string
  name: string
  /** ISO 3166-1 alpha-2 */
  country: string
  state: 'good' | 'bad' | 'idle'
  /** What stands under the name; empty for nothing. */
  says: string
  /** 0 to 1: how large the dot is. */
  weight: number
}

const radians = Math.PI / 180
/** Providers of one country stand around its point, so that none hides another. */
const apart = 15

/** Europe with a dot for each provider. @param props.label says in words what the picture shows */
export function Europe({ marks, label }: { marks: readonly Mark[]; label: string }) {
  return (
    <svg className={css.map} viewBox={`0 0 ${mercator.width} ${mercator.height}`} role="img" aria-label={label}>
      <g className={css.land}>
        {countries.map(({ id, outline }, at) => (
          <path key={`${id}/${at}`} d={outline} />
        ))}
      </g>
      {labelled(placed(marks)).map(({ mark, x, y, label: { at, anchor } }) => (
        <g key={mark.id} className={css[mark.state]}>
          {mark.state === 'bad' && <circle className={css.wave} cx={x} cy={y} r={14} />}
          <circle className={css.dot} cx={x} cy={y} r={radiusOf(mark)} />
          <text className={css.name} x={at.x} y={at.y} textAnchor={anchor}>
            {mark.name}
          </text>
          {mark.says && (
            <text className={css.says} x={at.x} y={at.y + 17} textAnchor={anchor}>
              {mark.says}
            </text>
          )}
        </g>
      ))}
    </svg>
  )
}

function placed(marks: readonly Mark[]) {
  const seen = new Map<string, number>()
  const all = new Map<string, number>()
  for (const { country } of marks) all.set(country, (all.get(country) ?? 0) + 1)
  return marks.flatMap((mark) => {
    const place = capitals[mark.country]
    if (!place) return []
    const number = seen.get(mark.country) ?? 0
    seen.set(mark.country, number + 1)
    const many = all.get(mark.country) ?? 1
    const angle = (2 * Math.PI * number) / many + Math.PI / 4
    const away = many === 1 ? 0 : apart + 8 * many
    const [longitude, latitude] = place
    const x = mercator.x + mercator.scale * longitude * radians + away * Math.cos(angle)
    const y =
      mercator.y - mercator.scale * Math.log(Math.tan(Math.PI / 4 + (latitude * radians) / 2)) + away * Math.sin(angle)
    return [{ mark, x, y }]
  })
}

type Placed = ReturnType<typeof placed>[number]
type Box = { left: number; right: number; top: number; bottom: number }
const letter = 8.2
const line = 17

const radiusOf = ({ weight }: Mark) => 7 + 7 * weight

/** Puts each name where it covers neither a dot nor another name: right of its dot, left, above or below, in this order. */
function labelled(places: readonly Placed[]) {
  const taken: Box[] = places.map(({ mark, x, y }) => around(x, y, radiusOf(mark), radiusOf(mark)))
  return places.map((place) => {
    const { mark, x, y } = place
    const away = radiusOf(mark) + 6
    const width = letter * Math.max(mark.name.length, mark.says.length)
    const lines = mark.says ? 2 : 1
    const choices = [
      { anchor: 'start' as const, at: { x: x + away, y: y + 5 } },
      { anchor: 'end' as const, at: { x: x - away, y: y + 5 } },
      { anchor: 'middle' as const, at: { x, y: y - away - line * (lines - 1) } },
      { anchor: 'middle' as const, at: { x, y: y + away + line * 0.7 } },
    ]
    const boxed = choices.map((label) => ({ label, box: boxOf(label, width, lines) }))
    const free = boxed.find(({ box }) => isInside(box) && !taken.some((other) => overlap(box, other))) ?? boxed[0]
    if (!free) throw new Error('a label has no place')
    taken.push(free.box)
    return { ...place, label: free.label }
  })
}

function boxOf(
  { anchor, at }: { anchor: 'start' | 'end' | 'middle'; at: { x: number; y: number } },
  width: number,
  lines: number,
): Box {
  const left = anchor === 'start' ? at.x : anchor === 'end' ? at.x - width : at.x - width / 2
  return { left, right: left + width, top: at.y - line + 3, bottom: at.y + line * (lines - 1) + 4 }
}

const around = (x: number, y: number, dx: number, dy: number): Box => ({
  left: x - dx,
  right: x + dx,
  top: y - dy,
  bottom: y + dy,
})
const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
const isInside = ({ left, right, top, bottom }: Box) =>
  left > 4 && right < mercator.width - 4 && top > 4 && bottom < mercator.height - 4
