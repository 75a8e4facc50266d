/** The page as a person meets it: long work, damaged files, small screens, the dark, words of warning. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { OpenPage, type Options } from "./chromium";

const images = join(inject("samples"), "all", "images");
const path = (name: string) => join(images, name);
const PHANTOMS = [...Array(10).keys()].map((number) => path(`phantom_${number}.png`));
const PICTURES = process.env["PAGE_PICTURES"]; // a folder to keep screenshots in

test("long work shows how far it is, stops at once, and goes on", async () => {
  const opened = await OpenPage.open();
  const { page } = opened;
  await page.setInputFiles("#files", [...PHANTOMS, ...PHANTOMS]);
  const done = () => page.locator("td.flags").count();
  await page.waitForFunction(() => document.querySelectorAll("td.flags").length >= 2, null, { timeout: 60_000 });
  expect(await page.textContent(".progress label")).toMatch(/^Measuring \d+ of 20$/);
  await page.getByRole("button", { name: "Stop" }).click();
  const stoppedAt = await done();
  await page.waitForTimeout(3000);
  expect(await done()).toBeLessThanOrEqual(stoppedAt + 1); // the one that was in work
  expect(await page.textContent(".progress label")).toMatch(/^Stopped: \d+ of 20 measured$/);
  expect(await page.locator("td", { hasText: "not measured yet" }).count()).toBe(20 - (await done()));
  await page.getByRole("button", { name: "Go on" }).click();
  await opened.measured();
  expect(await done()).toBe(20);
  await page.click("#clear");
  expect(await page.locator("h2").textContent()).toContain("Drop ultrasound images");
  await opened.close();
});

test("a damaged or foreign file is one row with its reason, and the others are measured", async () => {
  const opened = await OpenPage.open();
  await opened.measure(["damaged.png", "foreign.png", "damaged.dcm", "phantom_1.png"].map(path));
  for (const name of ["damaged.png", "foreign.png", "damaged.dcm"]) {
    expect(await opened.row(name).locator(".flag").textContent()).toBe("error");
    expect((await opened.row(name).locator(".why").textContent())!.length).toBeGreaterThan(20);
  }
  expect(await opened.row("phantom_1.png").locator(".flag").textContent()).toBe("ok");
  expect(opened.complaints).toEqual([]);
  await opened.close();
});

test.each<Options>([
  { width: 1280, height: 800 },
  { width: 1280, height: 800, dark: true },
  { width: 390, height: 844 },
  { width: 390, height: 844, dark: true },
])("it fits the screen, and the warning is always to be seen: %o", async (options) => {
  const opened = await OpenPage.open(options);
  const { page } = opened;
  const name = `${options.width}_${options.dark ? "dark" : "light"}`;
  const check = async () => {
    const [scrollable, visible] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    expect(scrollable).toBeLessThanOrEqual(visible!);
    const warning = page.getByText("For research use, not a medical device");
    const box = (await warning.boundingBox())!;
    expect(box.y).toBeGreaterThanOrEqual(0);
    expect(box.y + box.height).toBeLessThanOrEqual(options.height!);
  };
  await check();
  await opened.measure(["phantom_0.png", "scan.dcm", "dark.png", "damaged.png", "empty.png"].map(path));
  await opened.row("phantom_0.png").locator("button").click();
  await page.fill("#pixel-size-mm", "0.12");
  await page.click("#use-all");
  await check();
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const brightness = Math.max(...background.match(/\d+/g)!.map(Number));
  expect(brightness < 100).toBe(options.dark === true);
  if (PICTURES) {
    mkdirSync(PICTURES, { recursive: true });
    writeFileSync(join(PICTURES, `${name}.png`), await page.screenshot({ fullPage: options.width === 390 }));
  }
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await check();
  await opened.close();
});

test("each flag has a word and a shape of its own, and each control a name", async () => {
  const opened = await OpenPage.open();
  const { page } = opened;
  await opened.measure(["phantom_0.png", "dark.png", "empty.png", "damaged.png"].map(path));
  const marks = await page.locator("td.flags .flag").evaluateAll((flags) => flags.map((flag) => [flag.textContent, flag.querySelector("path")!.getAttribute("d")]));
  expect(marks.map(([word]) => word).sort()).toEqual(["check", "error", "no head", "ok"]);
  expect(new Set(marks.map(([, shape]) => shape)).size).toBe(4);
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, input:not([hidden]), [tabindex='0'], progress")]
      .filter((element) => !(element.textContent!.trim() || element.getAttribute("aria-label") || (element as HTMLInputElement).labels?.length))
      .map((element) => element.outerHTML));
  expect(nameless).toEqual([]);
  expect(await page.textContent("[role=status].unseen")).toBe("4 of 4 images were measured.");
  await opened.close();
});
