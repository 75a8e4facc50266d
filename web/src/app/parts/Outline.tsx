/** An ellipse drawn over its image, and the handles by which a person moves, pulls and turns it. */
import { useRef } from "preact/hooks";
import type { Ellipse } from "../../core/index";
import { type Axis, endOf, grown, moved, nearestAngle, type Point, pulled, turned } from "../editing";

const STEP_PX = 1; // of the image, a press of an arrow key; with Shift ten of them
const TURN = Math.PI / 180;
const ARROWS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** The part of the picture that a drawing over it spans: pixel centres have whole-number coordinates. */
export function viewBox(width: number, height: number): string {
  return `-0.5 -0.5 ${width} ${height}`;
}

/** The outline alone, for small pictures. */
export function OutlineOnly({ ellipse, width, height }: { ellipse: Ellipse; width: number; height: number }) {
  return <svg viewBox={viewBox(width, height)} aria-hidden="true"><Line ellipse={ellipse} name="line" /></svg>;
}

interface Properties {
  readonly ellipse: Ellipse;
  /** Pixels of the image for one of the screen. */
  readonly unit: number;
  /** Where a pointer is, in pixels of the image. */
  readonly pointOf: (event: PointerEvent) => Point;
  readonly onEdit: (ellipse: Ellipse) => void;
  /** After a change by hand. */
  readonly onSettled: () => void;
}

export function Outline({ ellipse: normal, unit, pointOf, onEdit, onSettled }: Properties) {
  const lastAngle = useRef(normal.angle);
  lastAngle.current = nearestAngle(normal.angle, lastAngle.current); // so that an end keeps its side while it is turned
  const ellipse = { ...normal, angle: lastAngle.current };
  const drag = useRef<((to: Point) => Ellipse) | null>(null);
  const dragging = (begin: (from: Point) => (to: Point) => Ellipse) => ({
    onPointerDown: (event: PointerEvent) => {
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      drag.current = begin(pointOf(event));
    },
    onPointerMove: (event: PointerEvent) => drag.current && onEdit(drag.current(pointOf(event))),
    onPointerUp: () => {
      if (drag.current) onSettled();
      drag.current = null;
    },
    onPointerCancel: () => (drag.current = null),
  });
  const pressing = (change: (event: KeyboardEvent) => Ellipse | null) => (event: KeyboardEvent) => {
    const changed = event.ctrlKey || event.metaKey || event.altKey ? null : change(event);
    if (!changed) return;
    event.preventDefault();
    onEdit(changed);
    onSettled();
  };
  return (
    <g class="outline">
      <Line ellipse={ellipse} name="halo" />
      <Line ellipse={ellipse} name="line" />
      {(["long", "short"] as const).map((axis) => <AxisLine key={axis} ellipse={ellipse} axis={axis} />)}
      <g
        class="body" id="ellipse" tabindex={0} role="button"
        aria-label="Ellipse: arrow keys move it, plus and minus change its size, comma and point turn it"
        {...dragging((from) => (to) => moved(ellipse, to.x - from.x, to.y - from.y))}
        onKeyDown={pressing((event) => byKey(ellipse, event))}
      >
        <Line ellipse={ellipse} name="grip" />
      </g>
      {(["long", "short"] as const).flatMap((axis) => ([1, -1] as const).map((side) => {
        const [end, other] = [endOf(ellipse, axis, side), endOf(ellipse, axis, side === 1 ? -1 : 1)];
        return (
          <g
            key={`${axis}${side}`} class="handle" id={`${axis}-${side === 1 ? "end" : "begin"}`} tabindex={0} role="button"
            aria-label={`End of the ${axis} axis: arrow keys pull it`}
            {...dragging((from) => (to) => pulled(ellipse, axis, other, { x: end.x + to.x - from.x, y: end.y + to.y - from.y }))}
            onKeyDown={pressing((event) => {
              const way = arrow(event);
              return way && pulled(ellipse, axis, other, alongAxis(ellipse, axis, end, way));
            })}
          >
            <circle class="reach" cx={end.x} cy={end.y} r={18 * unit} />
            <circle class="knob" cx={end.x} cy={end.y} r={6 * unit} />
          </g>
        );
      }))}
    </g>
  );
}

function byKey(ellipse: Ellipse, event: KeyboardEvent): Ellipse | null {
  const way = arrow(event);
  if (way) return moved(ellipse, way.x, way.y);
  if (event.key === "+" || event.key === "=") return grown(ellipse, 2);
  if (event.key === "-" || event.key === "_") return grown(ellipse, -2);
  if (event.key === "," || event.key === "<") return turned(ellipse, -TURN);
  if (event.key === "." || event.key === ">") return turned(ellipse, TURN);
  return null;
}

/** The way of an arrow key in pixels of the image; null for other keys. */
export function arrow(event: KeyboardEvent): Point | null {
  const way = ARROWS[event.key];
  const length = event.shiftKey ? 10 * STEP_PX : STEP_PX;
  return way ? { x: length * way.x, y: length * way.y } : null;
}

/** The end of an axis moved by an arrow key. The short axis cannot turn: an arrow that points along it at all pulls it
 * by its whole step. */
function alongAxis(ellipse: Ellipse, axis: Axis, end: Point, way: Point): Point {
  if (axis === "long") return { x: end.x + way.x, y: end.y + way.y };
  const [cos, sin] = [-Math.sin(ellipse.angle), Math.cos(ellipse.angle)];
  const part = way.x * cos + way.y * sin;
  const step = Math.abs(part) < 0.2 * Math.hypot(way.x, way.y) ? 0 : Math.sign(part) * Math.hypot(way.x, way.y);
  return { x: end.x + step * cos, y: end.y + step * sin };
}

function Line({ ellipse, name }: { ellipse: Ellipse; name: string }) {
  const { centerX, centerY, semiAxisA, semiAxisB, angle } = ellipse;
  const turn = `rotate(${(angle * 180) / Math.PI} ${centerX} ${centerY})`;
  return <ellipse class={name} cx={centerX} cy={centerY} rx={semiAxisA} ry={semiAxisB} transform={turn} />;
}

function AxisLine({ ellipse, axis }: { ellipse: Ellipse; axis: Axis }) {
  const [begin, end] = [endOf(ellipse, axis, -1), endOf(ellipse, axis, 1)];
  return <line class="axis" x1={begin.x} y1={begin.y} x2={end.x} y2={end.y} />;
}
