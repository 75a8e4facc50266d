/** The image, with what is drawn over it: its ellipse, or the points on its ruler. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ellipse, Frame } from "../../core/index";
import type { Point } from "../editing";
import type { Item } from "../item";
import { pictureOf } from "../pictures";
import type { Session } from "../session";
import { Outline, viewBox } from "./Outline";
import { RulerMarks } from "./RulerMarks";
import type { Marks } from "./Shown";
import { circumferenceText } from "./texts";

interface Properties {
  readonly frame: Frame | null;
  readonly item: Item;
  readonly marks: Marks | null;
  readonly onMarks: (marks: Marks) => void;
  readonly onEdit: (ellipse: Ellipse) => void;
  readonly session: Session;
}

export function Viewer({ frame, item, marks, onMarks, onEdit, session }: Properties) {
  const drawing = useRef<SVGSVGElement>(null);
  const unit = useUnit(drawing, frame);
  if (!frame) {
    const isLost = item.state === "done" && !item.finding;
    return <div class="viewer empty">{isLost ? <p>This file cannot be read.</p> : null}</div>;
  }
  const { width, height } = frame.image;
  const pointOf = (event: PointerEvent): Point => {
    const onScreen = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = onScreen.matrixTransform(drawing.current!.getScreenCTM()!.inverse());
    return { x, y };
  };
  const tell = () => {
    const measurement = session.items.find(({ id }) => id === item.id)?.measurement;
    if (measurement) session.announce(`Head circumference ${circumferenceText(measurement)}, edited.`);
  };
  const ellipse = item.measurement?.ellipse;
  return (
    <div class="viewer">
      <div class="picture" style={{ aspectRatio: `${width} / ${height}`, maxWidth: `calc(50vh * ${width / height})` }}>
        <Pixels frame={frame} />
        <svg ref={drawing} viewBox={viewBox(width, height)} role="group" aria-label={`${item.name}, with its ellipse`}>
          {marks ? (
            <RulerMarks marks={marks} width={width} height={height} unit={unit} pointOf={pointOf} onMarks={onMarks} />
          ) : (
            ellipse && <Outline ellipse={ellipse} unit={unit} pointOf={pointOf} onEdit={onEdit} onSettled={tell} />
          )}
        </svg>
      </div>
      {ellipse && !marks && (
        <p class="quiet hint">Drag the ellipse, or pull a knob.<span class="keys"> Keys: Tab and arrows; + and − for the size, comma and point turn.</span></p>
      )}
    </div>
  );
}

function Pixels({ frame }: { frame: Frame }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => canvas.current!.getContext("2d")!.putImageData(pictureOf(frame.image), 0, 0), [frame]);
  return <canvas ref={canvas} width={frame.image.width} height={frame.image.height} />;
}

/** Pixels of the image for one of the screen, as the window stands. */
function useUnit(drawing: { readonly current: SVGSVGElement | null }, frame: Frame | null): number {
  const [unit, setUnit] = useState(1);
  useEffect(() => {
    const svg = drawing.current;
    if (!svg || !frame) return undefined;
    const observer = new ResizeObserver(() => setUnit(frame.image.width / Math.max(svg.getBoundingClientRect().width, 1)));
    observer.observe(svg);
    return () => observer.disconnect();
  }, [frame]);
  return unit;
}
