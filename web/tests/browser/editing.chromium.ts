/** What a person does to an image: pixel size by ruler, ellipse by mouse and keys, and the way back. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { OpenPage } from "./chromium";
import { parsed } from "./tables";

const images = join(inject("samples"), "all", "images");
const FILES = ["phantom_0.png", "phantom_1.png", "scan.dcm", "empty.png"].map((name) => join(images, name));
let opened: OpenPage;

beforeAll(async () => {
  opened = await OpenPage.open();
  await opened.measure(FILES);
});
afterAll(async () => void (await opened.close()));
beforeEach(async () => {
  await opened.row("phantom_0.png").click();
  await opened.page.waitForSelector("#ellipse");
});

const centre = async (id: string) => {
  const box = (await opened.page.locator(`#${id} .knob, #${id} .grip`).boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};

async function drag(from: { x: number; y: number }, dx: number, dy: number): Promise<void> {
  const { mouse } = opened.page;
  await mouse.move(from.x, from.y);
  await mouse.down();
  await mouse.move(from.x + dx / 2, from.y + dy / 2);
  await mouse.move(from.x + dx, from.y + dy);
  await mouse.up();
}

async function savedRow(name: string) {
  return parsed(await opened.savedCsv()).rows.get(name)!;
}

async function undo(): Promise<void> {
  await opened.page.click("#undo");
  await opened.page.waitForSelector("#undo", { state: "detached" });
}

test("a drag moves the ellipse, marks the row, and goes back to the bit", async () => {
  const before = await savedRow("phantom_0.png");
  const scale = await opened.page.evaluate(() => {
    const canvas = document.querySelector("canvas")!;
    return canvas.width / canvas.getBoundingClientRect().width;
  });
  await drag(await centre("ellipse"), 30, -12);
  const moved = await savedRow("phantom_0.png");
  expect(Number(moved["center_x_px"]) - Number(before["center_x_px"])).toBeCloseTo(30 * scale, 0);
  expect(Number(moved["center_y_px"]) - Number(before["center_y_px"])).toBeCloseTo(-12 * scale, 0);
  expect(Number(moved["hc_px"])).toBeCloseTo(Number(before["hc_px"]), 2);
  expect(moved["reasons"]).toMatch(/^edited/);
  expect([moved["hc_low_mm"], moved["hc_high_mm"]]).toEqual(["", ""]);
  expect(await opened.row("phantom_0.png").locator(".flag.edited").textContent()).toContain("edited");
  await undo();
  expect(await savedRow("phantom_0.png")).toEqual(before);
  expect(await opened.row("phantom_0.png").locator(".flag.edited").count()).toBe(0);
});

test("a pulled end moves alone, and the numbers follow while it is pulled", async () => {
  const before = await savedRow("phantom_0.png");
  const [fixed, from] = [await centre("short-begin"), await centre("short-end")];
  const { mouse } = opened.page;
  await mouse.move(from.x, from.y);
  await mouse.down();
  await mouse.move(from.x, from.y + 25);
  const while_ = await opened.circumference();
  expect(while_).toBeGreaterThan(Number(before["hc_px"]) + 10);
  await mouse.up();
  const stayed = await centre("short-begin");
  expect(Math.hypot(stayed.x - fixed.x, stayed.y - fixed.y)).toBeLessThan(1);
  const after = await savedRow("phantom_0.png");
  expect(Number(after["semi_axis_b_px"])).toBeGreaterThan(Number(before["semi_axis_b_px"]) + 5);
  expect(Number(after["semi_axis_a_px"])).toBeCloseTo(Number(before["semi_axis_a_px"]), 2);
  await undo();
});

test("the long axis turns with its end, through the upright too", async () => {
  const from = await centre("long-end");
  const middle = await centre("ellipse");
  const radius = from.x - middle.x;
  await drag(from, -radius * 1.2, radius); // over the lowest point to the other side
  const after = await savedRow("phantom_0.png");
  expect(Number(after["angle_rad"])).toBeGreaterThan(-Math.PI / 2);
  expect(Number(after["angle_rad"])).toBeLessThanOrEqual(Math.PI / 2);
  const end = await centre("long-end");
  expect(end.y).toBeGreaterThan(middle.y); // the end that was pulled is where it was let go, not the other one
  await undo();
});

test("all of it works by keys: move, size, turn, pull", async () => {
  const { page } = opened;
  const before = await savedRow("phantom_0.png");
  const number = async (column: string) => Number((await savedRow("phantom_0.png"))[column]);
  await page.focus("#ellipse");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  expect(await number("center_x_px")).toBeCloseTo(Number(before["center_x_px"]) + 1, 2);
  expect(await number("center_y_px")).toBeCloseTo(Number(before["center_y_px"]) + 10, 2);
  await page.focus("#ellipse");
  await page.keyboard.press("+");
  expect(await number("semi_axis_a_px")).toBeCloseTo(Number(before["semi_axis_a_px"]) + 1, 2);
  await page.focus("#ellipse");
  for (let press = 0; press < 3; press++) await page.keyboard.press(".");
  expect(await number("angle_rad")).toBeCloseTo(Number(before["angle_rad"]) + (3 * Math.PI) / 180, 4);
  await page.focus("#long-end");
  await page.keyboard.press("Shift+ArrowRight");
  expect(await page.textContent("[role=status].unseen")).toMatch(/^Head circumference \d+ px, edited\.$/);
  expect(await number("semi_axis_a_px")).toBeGreaterThan(Number(before["semi_axis_a_px"]) + 4);
  await undo();
  expect(await savedRow("phantom_0.png")).toEqual(before);
});

test("two clicks on the ruler and a length set the pixel size, for this image alone", async () => {
  const { page } = opened;
  await page.click("#ruler");
  const box = (await page.locator("canvas").boundingBox())!;
  await page.mouse.click(box.x + 0.1 * box.width, box.y + 0.1 * box.height);
  await page.mouse.click(box.x + 0.1 * box.width, box.y + 0.9 * box.height);
  const height = await page.evaluate(() => document.querySelector("canvas")!.height);
  await page.fill("#length-mm", "50");
  await page.click("#use-this");
  const { rows } = parsed(await opened.savedCsv());
  const row = rows.get("phantom_0.png")!;
  expect(Number(row["pixel_size_mm"])).toBeCloseTo(50 / (0.8 * height), 3);
  expect(Number(row["hc_mm"])).toBeCloseTo(Number(row["hc_px"]) * Number(row["pixel_size_mm"]), 1);
  expect(row["pixel_size_source"]).toBe("given");
  expect(rows.get("phantom_1.png")!["hc_mm"]).toBe("");
  await page.getByRole("button", { name: "take back" }).click();
  expect((await savedRow("phantom_0.png"))["hc_mm"]).toBe("");
});

test("the ruler works by keys, for all images, and a file's own pixel size stays", async () => {
  const { page } = opened;
  await page.getByRole("button", { name: "set", exact: true }).click();
  await page.focus("#ruler");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#ruler-surface");
  await page.keyboard.press("Enter");
  for (let press = 0; press < 10; press++) await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#length-mm");
  await page.fill("#length-mm", "0");
  await page.click("#use-all");
  expect(await page.textContent("form [role=alert]")).toContain("must be a number above 0");
  await page.fill("#length-mm", "12,5");
  await page.click("#use-all");
  const { rows } = parsed(await opened.savedCsv());
  for (const name of ["phantom_0.png", "phantom_1.png"]) expect(rows.get(name)!["pixel_size_mm"]).toBe("0.125");
  expect(rows.get("scan.dcm")!["pixel_size_mm"]).toBe("0.15");
  expect(rows.get("scan.dcm")!["pixel_size_source"]).toBe("dicom region");
});

test("where no head was found, an ellipse can be placed by hand", async () => {
  const { page } = opened;
  await opened.row("empty.png").click();
  await page.click("#place");
  const row = await savedRow("empty.png");
  expect(row["reasons"]).toMatch(/^edited/);
  expect(Number(row["hc_px"])).toBeGreaterThan(100);
  await undo();
  expect((await savedRow("empty.png"))["flag"]).toBe("no head");
});

test("the arrow keys go through the table, and the focus is to be seen", async () => {
  const { page } = opened;
  await opened.row("phantom_0.png").locator("button").focus();
  await page.keyboard.press("ArrowDown");
  expect(await page.textContent(".panel .name")).toBe("phantom_1.png");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
  expect(outline).toBe("solid");
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe("phantom_1.png");
});
