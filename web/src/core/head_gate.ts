/**
 * Whether what was found is a fetal head in its standard plane, by what the network's encoder holds in and about it:
 * the gate of `fetal_seg/measurement/head_gate.py`.
 */
import { head_gate as VALUES } from "./constants";
import { countInside, dilated, eroded, type Mask } from "./mask";
import { resizeAreas } from "./resize";
import type { HeadGate } from "./types";

/** A level of the encoder: features (channels, height, width). */
export interface Level {
  readonly data: Float32Array;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

/** The parts of a region: inside, at the edge, around; each a share of 0 to 1 of the cells of a grid. */
interface Parts {
  readonly shares: readonly Float32Array[];
  readonly width: number;
  readonly height: number;
}

/** The probability, 0 to 1, that a region is a head; null where the features are not those of the gate. */
export function headProbability(gate: HeadGate, levels: readonly Level[], region: Mask): number | null {
  if (gate.pooling !== VALUES.POOLING) return null;
  const pooled = pool(levels, region);
  if (pooled.length !== gate.weights.length) return null;
  const logOdds = pooled.reduce((sum, value, index) => sum + value * gate.weights[index]!, gate.bias);
  return 0.5 * (1 + Math.tanh(logOdds / 2));
}

/** Statistics of all features about a region: their means inside, at the edge and around, and the deviation inside. */
export function pool(levels: readonly Level[], region: Mask): number[] {
  const radius = Math.floor(VALUES.EDGE * Math.sqrt(countInside(region)));
  const [wider, core] = [dilated(region, radius).data, eroded(region, radius).data];
  let parts: Parts = {
    shares: [
      Float32Array.from(region.data),
      Float32Array.from(wider, (value, index) => value - core[index]!),
      Float32Array.from(wider, (value, index) => value - region.data[index]!),
    ],
    width: region.width,
    height: region.height,
  };
  const statistics: number[] = [];
  for (const level of levels) {
    if (!VALUES.STRIDES.includes(2 ** Math.round(Math.log2(region.width / level.width)))) continue;
    const { width, height } = parts;
    const shares = parts.shares.map((share) => resizeAreas(share, width, height, level.width, level.height));
    parts = { shares, width: level.width, height: level.height };
    statistics.push(...statisticsOf(level, shares));
  }
  return statistics;
}

/** The means of each channel in each part, part by part, then the deviations in the first. */
function statisticsOf(level: Level, shares: readonly Float32Array[]): number[] {
  const weights = shares.map((share) => {
    const total = Math.max(share.reduce((sum, value) => sum + value, 0), 1e-6);
    return share.map((value) => value / total);
  });
  const cells = level.width * level.height;
  const channels = Array.from({ length: level.channels }, (_, channel) =>
    level.data.subarray(channel * cells, (channel + 1) * cells),
  );
  const means = weights.map((weight) => channels.map((values) => weighted(values, weight)));
  const deviations = channels.map((values, channel) => {
    const square = weighted(values.map((value) => value * value), weights[0]!);
    return Math.sqrt(Math.max(square - means[0]![channel]! ** 2, 0));
  });
  return [...means.flat(), ...deviations];
}

function weighted(values: Float32Array, weights: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! * weights[index]!;
  return sum;
}
