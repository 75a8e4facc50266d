/** Two points on the image's ruler, set by clicks or by a cross that the arrow keys move. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Point } from "../editing";
import { arrow } from "./Outline";
import type { Marks } from "./Shown";

interface Properties {
  readonly marks: Marks;
  readonly width: number;
  readonly height: number;
  readonly unit: number;
  readonly pointOf: (event: PointerEvent) => Point;
  readonly onMarks: (marks: Marks) => void;
}

export function RulerMarks({ marks, width, height, unit, pointOf, onMarks }: Properties) {
  const surface = useRef<SVGGElement>(null);
  const [cross, setCross] = useState<Point>({ x: Math.round(width / 2), y: Math.round(height / 2) });
  useLayoutEffect(() => surface.current!.focus({ preventScroll: true }), []); // before the next key
  const set = (point: Point) => marks.length < 2 && onMarks([...marks, point]);
  const press = (event: KeyboardEvent) => {
    const way = arrow(event);
    if (way) setCross({ x: within(cross.x + way.x, width), y: within(cross.y + way.y, height) });
    else if (event.key === "Enter") set(cross);
    else return;
    event.preventDefault();
  };
  return (
    <g class="ruler">
      <g
        ref={surface} id="ruler-surface" tabindex={0} role="button" class="surface" onKeyDown={press}
        aria-label={`Point ${marks.length + 1} of 2 on the ruler: arrow keys move the cross, Enter sets it`}
        onPointerUp={(event: PointerEvent) => set(pointOf(event))}
      >
        <rect x={-0.5} y={-0.5} width={width} height={height} />
        {marks.length < 2 && <path class="cross" d={crossPath(cross, 14 * unit)} />}
      </g>
      {marks.length === 2 && <line class="measured" x1={marks[0]!.x} y1={marks[0]!.y} x2={marks[1]!.x} y2={marks[1]!.y} />}
      {marks.map((mark, index) => (
        <Mark key={index} mark={mark} name={`Point ${index + 1}`} unit={unit} pointOf={pointOf}
          onMove={(point) => onMarks(marks.map((other, place) => (place === index ? point : other)))} />
      ))}
    </g>
  );
}

function Mark({ mark, name, unit, pointOf, onMove }: { mark: Point; name: string; unit: number; pointOf: Properties["pointOf"]; onMove: (point: Point) => void }) {
  const isDragged = useRef(false);
  return (
    <g
      class="handle" tabindex={0} role="button" aria-label={`${name} on the ruler: arrow keys move it`}
      onPointerDown={(event: PointerEvent) => {
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        isDragged.current = true;
      }}
      onPointerMove={(event: PointerEvent) => isDragged.current && onMove(pointOf(event))}
      onPointerUp={() => (isDragged.current = false)}
      onKeyDown={(event: KeyboardEvent) => {
        const way = arrow(event);
        if (!way) return;
        event.preventDefault();
        onMove({ x: mark.x + way.x, y: mark.y + way.y });
      }}
    >
      <circle class="reach" cx={mark.x} cy={mark.y} r={16 * unit} />
      <path class="cross" d={crossPath(mark, 9 * unit)} />
    </g>
  );
}

function crossPath({ x, y }: Point, arm: number): string {
  return `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`;
}

function within(value: number, size: number): number {
  return Math.min(Math.max(value, 0), size - 1);
}
