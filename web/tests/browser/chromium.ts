/** The built page in headless Chromium, opened from disk as a person opens it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export const BUILT = join(import.meta.dirname, "..", "..", "..", "dist", "fetal-seg.html");

const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--net-log-capture-mode=Default"],
];

/** A browser with a profile of its own and the page in it. */
export class OpenPage {
  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    private readonly folder: string,
    /** What the page was refused or complained of, in the order that the console has. */
    readonly complaints: readonly string[],
    /** The addresses of all that the page, or its worker, asked for. */
    readonly requests: readonly string[],
  ) {}

  static async open(): Promise<OpenPage> {
    const folder = mkdtempSync(join(tmpdir(), "fetal-seg-browser-"));
    const context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [...FLAGS, `--log-net-log=${join(folder, "net.json")}`],
      viewport: { width: 1280, height: 800 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    context.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(BUILT).href);
    return new OpenPage(page, context, folder, complaints, requests);
  }

  /** Chooses files, and waits until all are measured. */
  async measure(files: readonly string[]): Promise<void> {
    await this.page.setInputFiles("#files", [...files]);
    await this.measured();
  }

  /** Drops files or folders, as a hand does. */
  async drop(paths: readonly string[]): Promise<void> {
    const session = await this.context.newCDPSession(this.page);
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
    }
    await this.page.waitForSelector("tbody tr");
  }

  /** Waits until nothing is left to measure. */
  async measured(): Promise<void> {
    await this.page.waitForSelector("tbody tr");
    await this.page.waitForSelector(".progress", { state: "detached", timeout: 500_000 });
  }

  /** The row of a file, by the end of its name. */
  row(name: string) {
    return this.page.locator("tbody tr", { has: this.page.locator("th span", { hasText: new RegExp(`${name}$`) }) });
  }

  /** The circumference that is shown, in its unit. */
  async circumference(): Promise<number> {
    return parseFloat((await this.page.textContent("#circumference"))!);
  }

  /** The table as it is saved. */
  async savedCsv(): Promise<string> {
    await this.page.waitForTimeout(150); // Chromium drops an eleventh download within a second
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.page.click("#save")]);
    return readFileSync(await download.path(), "utf8");
  }

  /** Closes the browser, and gives its log of the network. */
  async close(): Promise<NetLog> {
    await this.context.close();
    const log = JSON.parse(readFileSync(join(this.folder, "net.json"), "utf8")) as RawNetLog;
    rmSync(this.folder, { recursive: true });
    const names = new Map(Object.entries(log.constants.logEventTypes).map(([name, number]) => [number, name]));
    return log.events.map(({ type, params }) => ({ type: names.get(type) ?? "", params: params ?? {} }));
  }
}

/** What Chromium's network did. */
export type NetLog = readonly { readonly type: string; readonly params: Readonly<Record<string, unknown>> }[];

interface RawNetLog {
  readonly constants: { readonly logEventTypes: Record<string, number> };
  readonly events: readonly { readonly type: number; readonly params?: Record<string, unknown> }[];
}
