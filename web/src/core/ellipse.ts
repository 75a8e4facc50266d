/** The ellipse: in pixels x to the right and y down, pixel centres at whole numbers; in mm where it was scaled so. */
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition, solve } from "ml-matrix";
import type { Mask } from "./mask";
import type { Ellipse } from "./types";

/** The matrix ((a, b), (c, d)) of a linear map of the plane. */
export interface LinearMap {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/**
 * An ellipse in its normal form: the long axis first, its angle in (-pi/2, pi/2].
 * @throws RangeError a value is not finite, or a semi-axis is not positive.
 */
export function normalEllipse(
  centerX: number,
  centerY: number,
  semiAxisA: number,
  semiAxisB: number,
  angle: number,
): Ellipse {
  const values = [centerX, centerY, semiAxisA, semiAxisB, angle];
  if (!values.every(Number.isFinite) || Math.min(semiAxisA, semiAxisB) <= 0) {
    throw new RangeError(`no ellipse: ${values.join(", ")}; values are finite, axes > 0`);
  }
  const isSwapped = semiAxisA < semiAxisB;
  let turned = (isSwapped ? angle + Math.PI / 2 : angle) % Math.PI;
  if (turned > Math.PI / 2) turned -= Math.PI;
  if (turned <= -Math.PI / 2) turned += Math.PI;
  return {
    centerX,
    centerY,
    semiAxisA: Math.max(semiAxisA, semiAxisB),
    semiAxisB: Math.min(semiAxisA, semiAxisB),
    angle: turned,
  };
}

/** The circumference, by Ramanujan's second formula (1914): its relative error is below 1e-9 for heads. */
export function circumference({ semiAxisA: a, semiAxisB: b }: Ellipse): number {
  const h = ((a - b) / (a + b)) ** 2;
  return Math.PI * (a + b) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
}

/** `count` points on the ellipse at equal steps of the eccentric anomaly, x and y by turns. */
export function pointsOf(ellipse: Ellipse, count: number): Float64Array {
  const axes = axesOf(ellipse);
  const points = new Float64Array(2 * count);
  for (let index = 0; index < count; index++) {
    const anomaly = (2 * Math.PI * index) / count;
    const [along, across] = [Math.cos(anomaly), Math.sin(anomaly)];
    points[2 * index] = ellipse.centerX + axes.a * along + axes.b * across;
    points[2 * index + 1] = ellipse.centerY + axes.c * along + axes.d * across;
  }
  return points;
}

/** The image under the map of (x, y) to `linear` (x, y) + (shiftX, shiftY), which is again an ellipse. */
export function transformed(ellipse: Ellipse, linear: LinearMap, shiftX: number, shiftY: number): Ellipse {
  const { centerX: x, centerY: y } = ellipse;
  const { a, b, c, d } = linear;
  const axes = axesOf(ellipse);
  const mapped = new Matrix([
    [a * axes.a + b * axes.c, a * axes.b + b * axes.d],
    [c * axes.a + d * axes.c, c * axes.b + d * axes.d],
  ]);
  const { leftSingularVectors: directions, diagonal } = new SingularValueDecomposition(mapped);
  const [long, short] = diagonal as [number, number];
  const angle = Math.atan2(directions.get(1, 0), directions.get(0, 0));
  return normalEllipse(a * x + b * y + shiftX, c * x + d * y + shiftY, long, short, angle);
}

/** The image under a stretch of the axes: in mm, where these are the sides of a pixel. */
export function scaled(ellipse: Ellipse, x: number, y: number): Ellipse {
  return transformed(ellipse, { a: x, b: 0, c: 0, d: y }, 0, 0);
}

/** Distance of a point from the ellipse to first order; negative inside. */
export function signedDistance(ellipse: Ellipse, x: number, y: number): number {
  const [cos, sin] = [Math.cos(ellipse.angle), Math.sin(ellipse.angle)];
  const [right, down] = [x - ellipse.centerX, y - ellipse.centerY];
  const u = (cos * right + sin * down) / ellipse.semiAxisA;
  const v = (cos * down - sin * right) / ellipse.semiAxisB;
  const radius = Math.hypot(u, v);
  const gradient = Math.hypot(u / ellipse.semiAxisA, v / ellipse.semiAxisB) / Math.max(radius, 1e-12);
  return (radius - 1) / Math.max(gradient, 1e-12);
}

/** The mask of the pixels whose centres lie in the ellipse. */
export function rasterised(ellipse: Ellipse, width: number, height: number): Mask {
  const { a, b, c, d } = axesOf(ellipse);
  const determinant = a * d - b * c;
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const y = row - ellipse.centerY;
    for (let column = 0; column < width; column++) {
      const x = column - ellipse.centerX;
      const u = (d * x - b * y) / determinant;
      const v = (a * y - c * x) / determinant;
      if (u * u + v * v <= 1) data[row * width + column] = 1;
    }
  }
  return { data, width, height };
}

/**
 * The ellipse that fits points (x and y by turns) in the least squares of algebraic distance; null where none does.
 * Source: R. Halir and J. Flusser, Numerically stable direct least squares fitting of ellipses, WSCG 1998; the points
 * are first shifted and scaled to unit spread.
 */
export function fitEllipse(points: Float64Array): Ellipse | null {
  const unit = standardised(points);
  if (unit === null) return null;
  const moments = Matrix.zeros(6, 6);
  for (let index = 0; index < unit.points.length; index += 2) {
    const [x, y] = [unit.points[index]!, unit.points[index + 1]!];
    const row = [x * x, x * y, y * y, x, y, 1];
    for (let i = 0; i < 6; i++) for (let j = i; j < 6; j++) moments.set(i, j, moments.get(i, j) + row[i]! * row[j]!);
  }
  for (let i = 0; i < 6; i++) for (let j = 0; j < i; j++) moments.set(i, j, moments.get(j, i));
  const quadratic = moments.subMatrix(0, 2, 0, 2);
  const mixed = moments.subMatrix(0, 2, 3, 5);
  let toLinear: Matrix;
  try {
    toLinear = Matrix.mul(solve(moments.subMatrix(3, 5, 3, 5), mixed.transpose()), -1);
  } catch {
    return null; // the points lie on a line
  }
  const scatter = Matrix.add(quadratic, mixed.mmul(toLinear));
  const rows = scatter.to2DArray() as [number[], number[], number[]];
  const [first, second, third] = rows;
  const conic = ellipticVector(
    new Matrix([third.map((value) => value / 2), second.map((value) => -value), first.map((value) => value / 2)]),
  );
  if (conic === null) return null;
  const found = fromConic(conic, toLinear.mmul(Matrix.columnVector(conic)).to1DArray());
  if (found === null) return null;
  const { meanX, meanY, spread } = unit;
  return normalEllipse(
    meanX + spread * found.centerX,
    meanY + spread * found.centerY,
    spread * found.semiAxisA,
    spread * found.semiAxisB,
    found.angle,
  );
}

/** Points about their mean, by the larger standard deviation of x and y; null for fewer than five, or for one point. */
function standardised(
  points: Float64Array,
): { points: Float64Array; meanX: number; meanY: number; spread: number } | null {
  const count = points.length / 2;
  if (count < 5) return null;
  const sums = [0, 0];
  points.forEach((value, index) => (sums[index % 2]! += value));
  const means = sums.map((sum) => sum / count) as [number, number];
  const squares = [0, 0];
  points.forEach((value, index) => (squares[index % 2]! += (value - means[index % 2]!) ** 2));
  const spread = Math.sqrt(Math.max(...squares) / count);
  if (!(spread > 0)) return null;
  const unit = points.map((value, index) => (value - means[index % 2]!) / spread);
  return { points: unit, meanX: means[0], meanY: means[1], spread };
}

/** The eigenvector (A, B, C) of unit length whose conic is an ellipse: 4 A C > B^2. */
function ellipticVector(matrix: Matrix): number[] | null {
  const vectors = new EigenvalueDecomposition(matrix).eigenvectorMatrix;
  for (let column = 0; column < 3; column++) {
    const vector = vectors.getColumn(column);
    const length = Math.hypot(...vector);
    const [a, b, c] = vector.map((value) => value / length) as [number, number, number];
    if (4 * a * c - b * b > 1e-12) return [a, b, c];
  }
  return null;
}

/** The ellipse `A x^2 + B xy + C y^2 + D x + E y + F = 0` of (A, B, C) and (D, E, F). */
function fromConic(quadratic: number[], linear: number[]): Ellipse | null {
  const [a, b, c] = quadratic as [number, number, number];
  const [d, e, f] = linear as [number, number, number];
  const determinant = 4 * a * c - b * b;
  const x = (b * e - 2 * c * d) / determinant;
  const y = (b * d - 2 * a * e) / determinant;
  const size = a * x * x + b * x * y + c * y * y - f;
  const middle = (a + c) / 2 / size;
  const difference = Math.hypot((a - c) / 2, b / 2) / Math.abs(size);
  if (!(middle - difference > 0)) return null;
  const angle = Math.atan2(-b / size, (c - a) / size) / 2; // of the long axis: the smaller eigenvalue's direction
  return normalEllipse(x, y, 1 / Math.sqrt(middle - difference), 1 / Math.sqrt(middle + difference), angle);
}

/** The map that takes the unit circle to the ellipse about its centre. */
function axesOf({ semiAxisA, semiAxisB, angle }: Ellipse): LinearMap {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { a: cos * semiAxisA, b: -sin * semiAxisB, c: sin * semiAxisA, d: cos * semiAxisB };
}
