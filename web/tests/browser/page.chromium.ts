/** The page as a person meets it: long work, damaged files, small screens, the dark, words of warning. */
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { OpenPage } from "./chromium";

const images = join(inject("samples"), "all", "images");
const path = (name: string) => join(images, name);
const PHANTOMS = [...Array(10).keys()].map((number) => path(`phantom_${number}.png`));
const PICTURES = process.env["PAGE_PICTURES"]; // a folder to keep screenshots in

test("long work shows how far it is, stops at once, and goes on", async () => {
  const opened = await OpenPage.open();
  const { page } = opened;
  await page.setInputFiles("#files", PHANTOMS);
  const done = () => page.locator("td.flags").count();
  await page.waitForFunction(() => document.querySelectorAll("td.flags").length >= 2, null, { timeout: 60_000 });
  expect(await page.textContent(".progress label")).toMatch(/^Measuring \d+ of 10$/);
  await page.getByRole("button", { name: "Stop" }).click();
  const stoppedAt = await done();
  await page.waitForTimeout(1500);
  expect(await done()).toBeLessThanOrEqual(stoppedAt + 1); // the one that was in work
  expect(await page.textContent(".progress label")).toMatch(/^Stopped: \d+ of 10 measured$/);
  expect(await page.locator("td", { hasText: "not measured yet" }).count()).toBe(10 - (await done()));
  await page.getByRole("button", { name: "Go on" }).click();
  await opened.measured();
  expect(await done()).toBe(10);
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

test("at 1280 and 390 px, light and dark, nothing is cut off and the warning is always to be seen", async () => {
  const opened = await OpenPage.open();
  const { page } = opened;
  await opened.measure(["phantom_0.png", "scan.dcm", "dark.png", "damaged.png", "empty.png"].map(path));
  await opened.row("phantom_0.png").locator("button").click();
  await page.fill("#pixel-size-mm", "0.12");
  await page.click("#use-all");
  for (const [width, height] of [[1280, 800], [390, 844]] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      for (const end of [0, 1]) {
        await page.evaluate((part) => window.scrollTo(0, part * document.body.scrollHeight), end);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        const warning = (await page.getByText("For research use, not a medical device").boundingBox())!;
        expect(warning.y).toBeGreaterThanOrEqual(0);
        expect(warning.y + warning.height).toBeLessThanOrEqual(height);
      }
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(Math.max(...background.match(/\d+/g)!.map(Number)) < 100).toBe(colorScheme === "dark");
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `${width}_${colorScheme}.png`), fullPage: width === 390 });
    }
  }
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
