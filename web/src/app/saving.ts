/** The table as CSV in a file, or as cells on the clipboard. */
import { csvOf } from "../core/index";
import type { Item } from "./item";

/** The table of what was measured so far, as `predictions.csv` has it. */
export function tableOf(items: readonly Item[]): string {
  return csvOf(items.flatMap(({ name, measurement }) => (measurement ? [{ file: name, measurement }] : [])));
}

/** Offers a text as a file; nothing leaves the computer. */
export function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // phones ask before they save
}

/** Puts a text on the clipboard. @throws where the browser refuses. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea"); // a browser that takes a file on disk for insecure
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("the browser refuses the clipboard");
}

/** Comma-separated cells with tabs between them, as spreadsheets take them from the clipboard. */
export function tabSeparated(csv: string): string {
  const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/g;
  let text = "";
  for (const [whole, value, end] of csv.matchAll(cell)) {
    if (whole === "") break;
    const plain = value!.startsWith('"') ? value!.slice(1, -1).replaceAll('""', '"') : value!;
    text += plain.replace(/[\t\r\n]+/g, " ") + (end === "," ? "\t" : end === "" ? "" : "\n");
  }
  return text;
}
