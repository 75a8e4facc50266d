/** The state of the page: its files, which of them is shown, and the measuring. */
import { type Ellipse, type Frame, type NetworkMetadata, readFrame, type Spacing } from "../core/index";
import type { ChosenFile } from "./choosing";
import { decodePicture } from "./decoding";
import { type Finding, type Item, remeasured, unreadable, waiting } from "./item";
import type { Answer, Order } from "./messages";

/** What the session needs of a worker. */
export interface Measurer {
  postMessage(order: Order): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Answer>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

/** All that is shown. Whoever changes it does so by the methods; `subscribe` tells of each change. */
export class Session {
  items: readonly Item[] = [];
  selectedId: number | null = null;
  /** The file that is shown, with its pixels; null while it is read, and where it cannot be. */
  opened: { readonly id: number; readonly frame: Frame } | null = null;
  isStopped = false;
  /** Why nothing can be measured here; null where all is well. */
  problem: string | null = null;
  /** What a screen reader is to say. */
  announcement = "";

  /** Whether the network is loaded. */
  isReady = false;
  #metadata: NetworkMetadata | null = null;
  #worker: Measurer | null = null;
  #nextId = 1;
  #listeners = new Set<() => void>();

  /** @param startWorker starts a worker that was told to load the network. */
  constructor(private readonly startWorker: () => Measurer) {
    this.#start();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get selected(): Item | null {
    return this.items.find((item) => item.id === this.selectedId) ?? null;
  }

  get doneCount(): number {
    return this.items.filter((item) => item.state === "done").length;
  }

  /** Whether files wait or are measured now. */
  get isMeasuring(): boolean {
    return !this.isStopped && !this.problem && this.doneCount < this.items.length;
  }

  add(files: readonly ChosenFile[]): void {
    if (files.length === 0) {
      this.announce("No PNG, JPEG or DICOM file was found in it.");
      return;
    }
    this.items = [...this.items, ...files.map(({ name, file }) => waiting(this.#nextId++, name, file))];
    this.isStopped = false;
    this.#next();
    if (this.selected === null) this.select(this.items[0]!.id);
    else this.#changed();
  }

  /** Ends the measuring after the image that is in work; `resume` goes on. */
  stop(): void {
    this.isStopped = true;
    this.announce(`Stopped: ${this.doneCount} of ${this.items.length} images were measured.`);
  }

  resume(): void {
    this.isStopped = false;
    this.#next();
    this.#changed();
  }

  /** Forgets all files. */
  clear(): void {
    for (const { finding } of this.items) if (finding) URL.revokeObjectURL(finding.thumbnail);
    [this.items, this.selectedId, this.opened, this.isStopped] = [[], null, null, false];
    this.announce("All images were removed from the page.");
  }

  select(id: number): void {
    if (id === this.selectedId) return;
    this.selectedId = id;
    this.#changed();
    void this.#open();
  }

  edit(id: number, ellipse: Ellipse): void {
    this.#replace(id, (item) => ({ ...item, edited: ellipse }));
  }

  undoEdit(id: number): void {
    this.#replace(id, (item) => ({ ...item, edited: null }));
    this.announce("The ellipse is the network's again.");
  }

  setSpacing(id: number, spacing: Spacing): void {
    this.#replace(id, (item) => ({ ...item, given: spacing }));
  }

  /** For all files that are in the table now; those with a pixel size of their own keep it. */
  setSpacingForAll(spacing: Spacing): void {
    this.#update(() => true, (item) => ({ ...item, given: null, givenForAll: spacing }));
  }

  undoSpacing(id: number): void {
    this.#replace(id, (item) => ({ ...item, given: null, givenForAll: null }));
  }

  announce(text: string): void {
    this.announcement = text;
    this.#changed();
  }

  #start(): void {
    this.#worker = this.startWorker();
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (event) => this.#restart(event.message);
  }

  /** A worker that broke down, for want of memory perhaps, takes its file with it and no other. */
  #restart(reason: string): void {
    this.#worker?.terminate();
    if (!this.isReady) {
      this.#unusable(reason);
      return;
    }
    const lost = this.items.find((item) => item.state === "measuring");
    if (lost) this.#replace(lost.id, (item) => unreadable(item, `measuring it failed (${reason}); use predict.py`));
    this.isReady = false;
    this.#start();
  }

  #take(answer: Answer): void {
    if (answer.kind === "ready") {
      this.#metadata = answer.metadata;
      this.isReady = true;
    } else if (answer.kind === "unusable") {
      this.#unusable(answer.reason);
    } else if (answer.kind === "unreadable") {
      this.#replace(answer.id, (item) => unreadable(item, answer.reason));
    } else if (this.items.some(({ id }) => id === answer.id)) {
      const { facts, prediction, measurement } = answer;
      const finding: Finding = { facts, prediction, measurement, thumbnail: URL.createObjectURL(answer.thumbnail) };
      this.#replace(answer.id, (item) => ({ ...item, state: "done", finding }));
    }
    this.#next();
    if (this.items.length > 0 && this.doneCount === this.items.length && answer.kind !== "ready") {
      this.announcement = `${this.doneCount} of ${this.items.length} images were measured.`;
    }
    this.#changed();
  }

  #unusable(reason: string): void {
    this.problem = `This browser cannot run the network (${reason}); use a current Chrome, Edge, Firefox or Safari.`;
    this.announce(this.problem);
  }

  #next(): void {
    if (this.isStopped || !this.isReady || this.items.some((item) => item.state === "measuring")) return;
    const item = this.items.find((candidate) => candidate.state === "waiting");
    if (!item) return;
    this.#replace(item.id, (waits) => ({ ...waits, state: "measuring" }));
    this.#worker!.postMessage({ kind: "measure", id: item.id, name: item.name, file: item.file });
  }

  #replace(id: number, change: (item: Item) => Item): void {
    this.#update((item) => item.id === id, change);
  }

  #update(isMeant: (item: Item) => boolean, change: (item: Item) => Item): void {
    this.items = this.items.map((item) => {
      if (!isMeant(item)) return item;
      const changed = change(item);
      const frame = this.opened?.id === item.id ? this.opened.frame : null;
      return this.#metadata ? remeasured(changed, this.#metadata, frame) : changed;
    });
    this.#changed();
  }

  /** Reads the selected file for the screen. */
  async #open(): Promise<void> {
    const item = this.selected;
    this.opened = null;
    if (!item) return;
    try {
      const frame = await readFrame(item.name, new Uint8Array(await item.file.arrayBuffer()), decodePicture);
      if (this.selectedId === item.id) this.opened = { id: item.id, frame };
    } catch {
      return; // its row says why
    }
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
