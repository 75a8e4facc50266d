/** Draws the page with some images in it: `npx tsx tests/browser/picture.ts PICTURE.png IMAGE...` */
import { OpenPage } from "./chromium";

const [picture, ...images] = process.argv.slice(2);
if (picture === undefined || images.length === 0) throw new Error("give the picture's name, then images");

const opened = await OpenPage.open();
const { page } = opened;
await page.setViewportSize({ width: 1100, height: 760 });
await opened.measure(images);
await page.fill("#pixel-size-mm", "0.12");
await page.click("#use-all");
await page.locator("tbody tr").nth(1).locator("button").click();
await page.waitForSelector("#ellipse");
await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
await page.screenshot({ path: picture });
await opened.close();
