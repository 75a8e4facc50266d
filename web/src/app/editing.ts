/** How a person's hand changes an ellipse. All lengths and positions are in pixels of the image. */
import { type Ellipse, normalEllipse } from "../core/index";

/** A position in pixels of the image. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The two axes by which an ellipse can be pulled. */
export type Axis = "long" | "short";

const SHORTEST_PX = 2; // semi-axis

/** The end of an axis: `side` 1 along the axis' direction, -1 against it. */
export function endOf(ellipse: Ellipse, axis: Axis, side: 1 | -1): Point {
  const angle = directionOf(ellipse, axis);
  const length = side * (axis === "long" ? ellipse.semiAxisA : ellipse.semiAxisB);
  return { x: ellipse.centerX + length * Math.cos(angle), y: ellipse.centerY + length * Math.sin(angle) };
}

/** The ellipse at another place. */
export function moved(ellipse: Ellipse, dx: number, dy: number): Ellipse {
  return { ...ellipse, centerX: ellipse.centerX + dx, centerY: ellipse.centerY + dy };
}

/** One end of an axis pulled to a point, while the other end stays where it is. The long axis turns with it, the short
 * one keeps its direction; neither axis passes the other in length. */
export function pulled(ellipse: Ellipse, axis: Axis, fixed: Point, to: Point): Ellipse {
  return axis === "long" ? pulledLong(ellipse, fixed, to) : pulledShort(ellipse, fixed, to);
}

/** The ellipse turned about its centre, from +x towards +y. */
export function turned(ellipse: Ellipse, radians: number): Ellipse {
  const { centerX, centerY, semiAxisA, semiAxisB, angle } = ellipse;
  return normalEllipse(centerX, centerY, semiAxisA, semiAxisB, angle + radians);
}

/** The ellipse with its long axis longer by `px` and its shape as it was. */
export function grown(ellipse: Ellipse, px: number): Ellipse {
  const factor = Math.max(1 + px / (2 * ellipse.semiAxisA), SHORTEST_PX / ellipse.semiAxisB);
  return { ...ellipse, semiAxisA: factor * ellipse.semiAxisA, semiAxisB: factor * ellipse.semiAxisB };
}

/** An ellipse to begin with in an image where none was found. */
export function placed(width: number, height: number): Ellipse {
  const semiAxisA = 0.3 * Math.min(width, height);
  return { centerX: (width - 1) / 2, centerY: (height - 1) / 2, semiAxisA, semiAxisB: 0.78 * semiAxisA, angle: 0 };
}

/** The same direction as `angle`, which is known up to a half turn, nearest to another angle. */
export function nearestAngle(angle: number, to: number): number {
  return angle + Math.PI * Math.round((to - angle) / Math.PI);
}

function pulledLong(ellipse: Ellipse, fixed: Point, to: Point): Ellipse {
  const [dx, dy] = [to.x - fixed.x, to.y - fixed.y];
  const angle = dx === 0 && dy === 0 ? ellipse.angle : Math.atan2(dy, dx);
  const semiAxisA = Math.max(Math.hypot(dx, dy) / 2, ellipse.semiAxisB);
  const centerX = fixed.x + semiAxisA * Math.cos(angle);
  return normalEllipse(centerX, fixed.y + semiAxisA * Math.sin(angle), semiAxisA, ellipse.semiAxisB, angle);
}

function pulledShort(ellipse: Ellipse, fixed: Point, to: Point): Ellipse {
  const direction = directionOf(ellipse, "short");
  const [cos, sin] = [Math.cos(direction), Math.sin(direction)];
  const side = (ellipse.centerX - fixed.x) * cos + (ellipse.centerY - fixed.y) * sin > 0 ? 1 : -1;
  const extent = side * ((to.x - fixed.x) * cos + (to.y - fixed.y) * sin);
  const semiAxisB = Math.min(Math.max(extent / 2, SHORTEST_PX), ellipse.semiAxisA);
  return { ...ellipse, semiAxisB, centerX: fixed.x + side * semiAxisB * cos, centerY: fixed.y + side * semiAxisB * sin };
}

function directionOf(ellipse: Ellipse, axis: Axis): number {
  return ellipse.angle + (axis === "long" ? 0 : Math.PI / 2);
}
