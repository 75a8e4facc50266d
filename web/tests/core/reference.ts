/** What Python says of the cases of `tools/page_reference.py`. */
import { readFileSync } from "node:fs";
import { normalEllipse } from "../../src/core";
import type { Mask } from "../../src/core/mask";
import type { Ellipse, Grey, NetworkMetadata, Quality } from "../../src/core";

/** An image as the reference has it: base64 of its bytes. */
export interface Coded {
  readonly data: string;
  readonly width: number;
  readonly height: number;
}

export interface Reference {
  readonly numbers: { value: number; whole: string; three: string; six: string }[];
  readonly letterboxes: (Coded & { framed: string; toNative: number[] })[];
  readonly squares: (Coded & { square: string })[];
  readonly fits: {
    logits: string;
    width: number;
    height: number;
    fit: { ellipse: number[]; agreement: number; cut: number; region: string } | null;
  }[];
  readonly features: (Coded & {
    region: string;
    model: { mean: number[]; precision: number[][]; largest: number };
    score: number;
  })[];
  readonly gates: {
    region: string;
    levels: { shape: [number, number, number]; data: string }[];
    weights: number[];
    bias: number;
    probability: number;
  }[];
  readonly qualities: { quality: Quality; isHead: boolean; flag: string; reasons: string[]; whyNoHead: string }[];
  readonly turns: { turned: EllipseValues; width: number; back: EllipseValues }[];
  readonly sizes: { xMm: number; yMm: number; hcMm: number; reasons: string[] }[];
  readonly heads: { ellipse: EllipseValues; biometry: Record<string, number | null>; ages: string[] }[];
  readonly intervals: {
    heldOut: { scale: string; scores: number[]; hc_mm: number[]; review_above: number | null };
    hcMm: number;
    confidence: number;
    width: number | null;
    likely: boolean;
  }[];
}

export type EllipseValues = [number, number, number, number, number];

export const MAP = { width: 96, height: 64 }; // of letterboxes and fits

export const reference = JSON.parse(
  readFileSync(new URL("../../generated/reference.json", import.meta.url), "utf8"),
) as Reference;

/** Of a network that was calibrated as the cases of `qualities` are. */
export const CALIBRATED: NetworkMetadata = {
  height: 64,
  width: 96,
  checkpointSha256: "",
  version: "",
  interval: null,
  confidence: { reviewBelow: 0.94, rejectBelow: 0.83 },
  appearance: null,
  gate: { pooling: "", weights: [], bias: 0, limits: { reviewBelow: 0.6, rejectBelow: 0.2 } },
};

export function bytes(coded: string): Uint8Array {
  return new Uint8Array(Buffer.from(coded, "base64"));
}

export function floats(coded: string): Float32Array {
  return new Float32Array(bytes(coded).buffer);
}

export function grey({ data, width, height }: Coded): Grey {
  return { data: bytes(data), width, height };
}

export function mask(data: string, width: number, height: number): Mask {
  return { data: bytes(data), width, height };
}

export function ellipseOf(values: EllipseValues): Ellipse {
  return normalEllipse(...values);
}

/** How far two ellipses are from each other: the largest difference of centre, axes and, by its arc, angle, px. */
export function gap(one: Ellipse, other: Ellipse): number {
  const turn = Math.abs(Math.sin(one.angle - other.angle)) * (one.semiAxisA - one.semiAxisB);
  return Math.max(
    turn,
    Math.hypot(one.centerX - other.centerX, one.centerY - other.centerY),
    Math.abs(one.semiAxisA - other.semiAxisA),
    Math.abs(one.semiAxisB - other.semiAxisB),
  );
}
