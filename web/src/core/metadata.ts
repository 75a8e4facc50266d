/** What an exported network says of itself, read from the file: ONNX Runtime's web version does not show it. */
import { exported } from "./constants";
import { InputError } from "./errors";
import type { Limits, NetworkMetadata } from "./types";

/** The fields of ONNX's `ModelProto` and `StringStringEntryProto` (protocol buffers) that are read here. */
const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

const REMEDY = "build the page again, or export the checkpoint again";

interface StoredLimits {
  readonly review_below: number;
  readonly reject_below: number;
}

/** As `fetal_seg.models.exported.to_metadata` writes it, as far as it is read here. */
interface Description {
  readonly preprocessing: { readonly height: number; readonly width: number };
  readonly version: string;
  readonly export: { readonly checkpoint_sha256: string };
  readonly calibration?: {
    readonly interval: { readonly scale: string; readonly scores: number[]; readonly hc_mm: number[] } | null;
    readonly confidence: StoredLimits | null;
    readonly appearance: { readonly mean: number[]; readonly precision: number[][]; readonly largest: number } | null;
    readonly gate: {
      readonly pooling: string;
      readonly weights: number[];
      readonly bias: number;
      readonly limits: StoredLimits;
    } | null;
  };
}

/**
 * What the bytes of an exported network say.
 * @throws InputError they are damaged, or of another program.
 */
export function readMetadata(model: Uint8Array): NetworkMetadata {
  let text: string | undefined;
  try {
    text = entries(model).get(exported.ENTRY);
  } catch (error) {
    throw new InputError(`the network's file is damaged (${String(error)}); ${REMEDY}`);
  }
  if (text === undefined) throw new InputError(`the network's file was not written by export.py; ${REMEDY}`);
  try {
    return fromDescription(JSON.parse(text) as Description);
  } catch (error) {
    throw new InputError(`what the network's file says of itself cannot be read (${String(error)}); ${REMEDY}`);
  }
}

function fromDescription(description: Description): NetworkMetadata {
  const { height, width } = description.preprocessing;
  const { interval = null, confidence = null, appearance = null, gate = null } = description.calibration ?? {};
  return {
    height,
    width,
    checkpointSha256: description.export.checkpoint_sha256,
    version: description.version,
    interval: interval && { scale: interval.scale, scores: interval.scores, hcMm: interval.hc_mm },
    confidence: confidence && limits(confidence),
    appearance,
    gate: gate && { pooling: gate.pooling, weights: gate.weights, bias: gate.bias, limits: limits(gate.limits) },
  };
}

function limits(stored: StoredLimits): Limits {
  return { reviewBelow: stored.review_below, rejectBelow: stored.reject_below };
}

/** The entries of the model's metadata. */
function entries(model: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (const [field, content] of fieldsOf(model)) {
    if (field !== METADATA_PROPS) continue;
    const entry = new Map(fieldsOf(content));
    const [key, value] = [KEY, VALUE].map((part) => new TextDecoder().decode(entry.get(part)));
    if (key !== undefined && value !== undefined) found.set(key, value);
  }
  return found;
}

/** The fields of a message that hold bytes, by their numbers; numbers are passed over. */
function* fieldsOf(message: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError("it is cut off");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const [field, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === 0) varint();
    else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else if (kind === 2) {
      const length = varint();
      if (at + length > message.length) throw new RangeError("it is cut off");
      yield [field, message.subarray(at, at + length)];
      at += length;
    } else throw new RangeError(`a field is of kind ${kind}`);
  }
}
