import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Schemas } from '../api/client.ts'
import { t } from '../strings/deployments.ts'
import { duration } from '../ui/time.tsx'

type Delivery = Schemas['Delivery']

interface Line {
  label: string
  /** Name of a token. */
  ink: string
  values: (number | null)[]
}

/** The four numbers of delivery, and how they went. */
export function DeliveryCharts({ delivery }: { delivery: Delivery }) {
  const { days } = delivery
  const x = days.map(({ day }) => day / 1_000)
  const deployed = total(days.map((day) => day.deployed))
  const failed = total(days.map((day) => day.failed))
  const of = (name: 'leadMs' | 'restoreMs' | 'driftMs'): (number | null)[] => days.map((day) => day[name])
  const rate = deployed + failed === 0 ? null : failed / (deployed + failed)
  return (
    <>
      <dl className="grid grid-cols-5 gap-px overflow-hidden rounded-t-lg border border-line bg-line max-md:grid-cols-2">
        <Number
          name="Deployments"
          value={deployed.toLocaleString()}
          says={t.aDay((deployed / Math.max(days.length, 1)).toFixed(1))}
        />
        <Number
          name="Failed"
          value={rate === null ? '–' : `${(rate * 100).toFixed(0)} %`}
          says={t.failedOfDeployed(failed, deployed + failed)}
        />
        <Number name="Lead time" value={span(of('leadMs'))} says={t.openedToDeployedMedian} />
        <Number name="Time to restore" value={span(of('restoreMs'))} says={t.failedToGoodAgainMedian} />
        <Number
          name="Drift to heal"
          value={span(of('driftMs'))}
          says={t.healsMedian(total(days.map((day) => day.heals)))}
        />
      </dl>
      <div className="grid grid-cols-2 gap-px overflow-hidden rounded-b-lg border border-t-0 border-line bg-line max-md:grid-cols-1">
        <Chart
          title={t.aDay2}
          x={x}
          lines={[
            { label: t.deployed, ink: '--color-ok', values: days.map((day) => day.deployed) },
            { label: t.failed, ink: '--color-bad', values: days.map((day) => day.failed) },
            { label: t.healed, ink: '--color-warn', values: days.map((day) => day.heals) },
          ]}
          format={(value) => String(value)}
        />
        <Chart
          title={t.leadTimeAndDriftTo}
          x={x}
          lines={[
            { label: t.leadTime, ink: '--color-busy', values: of('leadMs') },
            { label: t.driftToHeal, ink: '--color-warn', values: of('driftMs') },
          ]}
          format={(value) => duration(value)}
        />
      </div>
      {delivery.partial && <p className="pt-1 text-sm text-warn">{t.thereWereSoManyThat}</p>}
    </>
  )
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
/** `seconds` since 1970, as the chart counts. */
const dayOf = (seconds: number): string => DAY.format(seconds * 1_000)

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

function span(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  const middle = known[Math.floor(known.length / 2)]
  return middle === undefined ? '–' : duration(middle)
}

function Number({ name, value, says }: { name: string; value: string; says: string }) {
  return (
    <div className="bg-panel px-3 py-2 max-md:last:odd:col-span-2">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="text-xl font-semibold tracking-tight tabular-nums">{value}</dd>
      <dd className="text-sm text-muted">{says}</dd>
    </div>
  )
}

function Chart({
  title,
  x,
  lines,
  format,
}: {
  title: string
  x: number[]
  lines: readonly Line[]
  format: (value: number) => string
}) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const ink = (name: string): string => getComputedStyle(probe(element, name)).color
    const axis = {
      stroke: ink('--color-muted'),
      grid: { stroke: ink('--color-line'), width: 1 },
      ticks: { show: false },
      font: '11px Inter',
    }
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: 150,
        padding: [8, 12, 0, 0],
        cursor: { drag: { x: false, y: false } },
        legend: { live: true },
        scales: { y: { range: (_chart, _low, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
        axes: [
          { ...axis, values: (_chart, values) => values.map(dayOf) },
          { ...axis, size: 56, values: (_chart, values) => values.map(format) },
        ],
        series: [
          { label: t.day, value: (_chart: uPlot, value: number | null) => (value === null ? '–' : dayOf(value)) },
          ...lines.map((line) => ({
            label: line.label,
            stroke: ink(line.ink),
            width: 1.5,
            points: { size: 5 },
            value: (_chart: uPlot, value: number | null) => (value === null ? '–' : format(value)),
          })),
        ],
      },
      [x, ...lines.map(({ values }) => values)],
      element,
    )
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: 150 }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [x, lines, format])
  return (
    <figure className="min-w-0 bg-panel px-3 py-2">
      <figcaption className="text-sm text-muted">{title}</figcaption>
      <div
        ref={box}
        role="img"
        aria-label={describe(title, lines, format)}
        className="[&_.u-legend]:text-left [&_.u-legend]:font-sans! [&_.u-legend]:text-sm! [&_.u-legend]:text-muted [&_.u-legend_th]:font-normal!"
      />
    </figure>
  )
}

/** For those who do not see the lines: the last value of each. */
function describe(title: string, lines: readonly Line[], format: (value: number) => string): string {
  const last = lines.map(({ label, values }) => {
    const value = values.findLast((each) => each !== null)
    return `${label} ${value === undefined || value === null ? t.none : format(value)}`
  })
  return t.atTheEnd(title, last.join(', '))
}

/** A canvas needs a colour in numbers, and a token is a pair of them: an element says which one counts now. */
function probe(element: HTMLElement, token: string): HTMLElement {
  element.style.color = `var(${token})`
  return element
}
