/** The page says what `predict.py` says of the same files. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { OpenPage } from "./chromium";
import { expectSame, parsed } from "./tables";

const samples = inject("samples");
let opened: OpenPage;
const predicted = (folder: string) => parsed(readFileSync(join(samples, folder, "predictions.csv"), "utf8"));

beforeAll(async () => {
  opened = await OpenPage.open();
  await opened.drop([join(samples, "all")]);
  const start = performance.now();
  await opened.measured();
  const rows = await opened.page.locator("tbody tr").count();
  console.log(`${rows} files in ${((performance.now() - start) / 1000).toFixed(1)} s`);
});
afterAll(async () => void (await opened.close()));

test("a dropped folder is measured as predict.py measures it, each file in a row of its own", async () => {
  const { columns, rows } = parsed(await opened.savedCsv());
  const expected = predicted("px");
  expect(columns).toEqual(expected.columns);
  for (const [file, row] of expected.rows) expectSame(rows.get(`all/images/${file}`)!, row);
  expect(new Set([...expected.rows.values()].map((row) => row["flag"]))).toEqual(new Set(["ok", "check", "no head", "error"]));
});

test("with a pixel size for all images, circumferences in mm are within 0.1 %, and flags are the same", async () => {
  const { page } = opened;
  await opened.row("phantom_0.png").click();
  await page.fill("#pixel-size-mm", "0.12");
  await page.click("#use-all");
  for (const name of ["scan.dcm", "IM0001"]) {
    await opened.row(name).click(); // files that tell a pixel size keep it, until a person says otherwise
    await page.getByRole("button", { name: "change", exact: true }).click();
    await page.fill("#pixel-size-mm", "0,12");
    await page.click("#use-this");
  }
  const { rows } = parsed(await opened.savedCsv());
  const expected = predicted("mm").rows;
  for (const [file, row] of expected) expectSame(rows.get(`all/${file}`)!, row);
  const ofHc18 = [...expected.keys()].filter((file) => file.startsWith("hc18/")).length;
  expect(ofHc18).toBe(existsSync(join(samples, "all", "hc18")) ? 50 : 0);
  expect(rows.size).toBe(expected.size);
});

test("the table on the clipboard has the cells of the CSV", async () => {
  const { page } = opened;
  await page.click("#copy");
  await page.getByText("Copied: paste it").first().waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const { columns, rows } = parsed(await opened.savedCsv());
  const [heading, first] = copied.split("\n");
  expect(heading!.split("\t")).toEqual(columns);
  expect(first!.split("\t")).toEqual(Object.values([...rows.values()][0]!));
  expect(copied.trimEnd().split("\n")).toHaveLength(rows.size + 1);
});
