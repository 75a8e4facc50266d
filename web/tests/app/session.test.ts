import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Answer, Order } from "../../src/app/messages";
import { type Measurer, Session } from "../../src/app/session";
import { measure, type NetworkMetadata, type Prediction } from "../../src/core";

const METADATA: NetworkMetadata = {
  height: 256, width: 384, checkpointSha256: "", version: "0", interval: null, confidence: null, appearance: null, gate: null,
};
const HEAD = { centerX: 60, centerY: 40, semiAxisA: 30, semiAxisB: 20, angle: 0 };
const quality = { confidence: 0.95, agreement: 0.99, cut: 0, contrast: 90, novelty: null, headProbability: null, turned: false };
const PREDICTION: Prediction = { ellipse: HEAD, quality };

/** A worker whose answers the test gives. */
class Scripted implements Measurer {
  onmessage: Measurer["onmessage"] = null;
  onerror: Measurer["onerror"] = null;
  readonly orders: Order[] = [];
  isTerminated = false;
  postMessage(order: Order): void {
    this.orders.push(order);
  }
  terminate(): void {
    this.isTerminated = true;
  }
  answer(data: Answer): void {
    this.onmessage?.({ data } as MessageEvent<Answer>);
  }
  ready(): void {
    this.answer({ kind: "ready", metadata: METADATA });
  }
  measured(id: number, mm: number | null = null): void {
    const spacing = mm === null ? null : { xMm: mm, yMm: mm, source: "dicom region" };
    const image = { data: new Uint8Array(0), width: 120, height: 80 };
    const frame = { name: "", image, spacing, notes: [], spacingAt: () => spacing };
    const measurement = measure(PREDICTION, frame, null, METADATA);
    const facts = { width: 120, height: 80, spacing, notes: [] };
    this.answer({ kind: "measured", id, facts, prediction: PREDICTION, measurement, thumbnail: new Blob([]) });
  }
}

let workers: Scripted[];
let session: Session;
const files = (count: number) => [...Array(count).keys()].map((number) => ({ name: `${number}.png`, file: new File([""], `${number}.png`) }));
const flags = () => session.items.map(({ measurement }) => measurement?.flag);

beforeEach(() => {
  workers = [];
  session = new Session(() => {
    workers.push(new Scripted());
    return workers.at(-1)!;
  });
});

describe("the queue", () => {
  test("waits for the network, then gives one file at a time", () => {
    session.add(files(3));
    expect(workers[0]!.orders).toEqual([]);
    workers[0]!.ready();
    expect(workers[0]!.orders).toMatchObject([{ kind: "measure", id: 1 }]);
    workers[0]!.measured(1);
    expect(workers[0]!.orders).toHaveLength(2);
    expect(session.doneCount).toBe(1);
  });

  test("stops after the file in work, and goes on where it was", () => {
    workers[0]!.ready();
    session.add(files(3));
    session.stop();
    workers[0]!.measured(1);
    expect(workers[0]!.orders).toHaveLength(1);
    expect(session.isMeasuring).toBe(false);
    session.resume();
    workers[0]!.measured(2);
    workers[0]!.measured(3);
    expect(session.doneCount).toBe(3);
    expect(session.announcement).toBe("3 of 3 images were measured.");
  });

  test("a file that cannot be read is an error, and the next one is measured", () => {
    workers[0]!.ready();
    session.add(files(2));
    workers[0]!.answer({ kind: "unreadable", id: 1, reason: "it is damaged; export it again" });
    workers[0]!.measured(2);
    expect(flags()).toEqual(["error", "ok"]);
    expect(session.items[0]!.measurement!.reasons).toEqual(["it is damaged; export it again"]);
  });

  test("a worker that breaks down loses its file alone: a new one goes on", () => {
    workers[0]!.ready();
    session.add(files(2));
    workers[0]!.onerror?.({ message: "out of memory" } as ErrorEvent);
    expect(workers[0]!.isTerminated).toBe(true);
    workers[1]!.ready();
    workers[1]!.measured(2);
    expect(flags()).toEqual(["error", "ok"]);
    expect(session.items[0]!.measurement!.reasons[0]).toContain("out of memory");
  });

  test("what was removed while it was measured stays removed", () => {
    const made = vi.spyOn(URL, "createObjectURL");
    workers[0]!.ready();
    session.add(files(1));
    session.clear();
    workers[0]!.measured(1);
    expect(session.items).toEqual([]);
    expect(made).not.toHaveBeenCalled();
  });

  test("a network that does not start is said, and nothing is measured", () => {
    session.add(files(1));
    workers[0]!.answer({ kind: "unusable", reason: "no WebAssembly" });
    expect(session.problem).toContain("no WebAssembly");
    expect(session.isMeasuring).toBe(false);
  });
});

describe("what a person sets", () => {
  beforeEach(() => {
    workers[0]!.ready();
    session.add(files(3));
    workers[0]!.measured(1);
    workers[0]!.measured(2, 0.2);
  });
  const sizes = () => session.items.map(({ measurement }) => measurement?.spacing?.xMm ?? null);
  const given = { xMm: 0.1, yMm: 0.1, source: "given" };

  test("a pixel size for all goes to those without their own, and to those that still wait", () => {
    session.setSpacingForAll(given);
    workers[0]!.measured(3);
    expect(sizes()).toEqual([0.1, 0.2, 0.1]);
    session.undoSpacing(1);
    expect(sizes()).toEqual([null, 0.2, 0.1]);
  });

  test("a pixel size for one image goes before its own", () => {
    session.setSpacing(2, given);
    expect(sizes()).toEqual([null, 0.1, null]);
  });

  test("an edited ellipse is measured, marked, and taken back to what it was", () => {
    const before = session.items[1]!.measurement;
    session.edit(2, { ...HEAD, semiAxisA: 33 });
    const { edited, measurement } = session.items[1]!;
    expect(edited).toMatchObject({ semiAxisA: 33 });
    expect(measurement!.ofdMm).toBeCloseTo(2 * 33 * 0.2, 9);
    expect(measurement!.reasons[0]).toMatch(/^edited/);
    expect(measurement!.hcLowMm).toBeNull();
    session.undoEdit(2);
    expect(session.items[1]!.measurement).toEqual(before);
  });
});
