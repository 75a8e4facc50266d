import { expect, test } from "vitest";
import { tabSeparated } from "../../src/app/saving";

test("cells of a CSV keep their text, and none breaks its row", () => {
  const csv = 'file,reasons\n"a,b.png","he said ""ok""; x"\nc.png,"two\nlines\tand a tab"\nd.png,\n';
  expect(tabSeparated(csv)).toBe('file\treasons\na,b.png\the said "ok"; x\nc.png\ttwo lines and a tab\nd.png\t\n');
});
