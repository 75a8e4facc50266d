import { expect, test } from "vitest";
import { csvOf, unread } from "../../src/core";

const HEADER = csvOf([]).trimEnd().split(",");

function cells(file: string, reason: string): string {
  return csvOf([{ file, measurement: unread(reason) }]).slice(HEADER.join(",").length + 1);
}

test("what a spreadsheet takes for a formula has an apostrophe before it", () => {
  for (const name of ["=1+1.png", "+a", "-a", "@a"]) expect(cells(name, "why")).toMatch(`'${name},`);
  expect(cells("-5", "why")).toMatch(/^-5,/);
  expect(cells("a.png", "=why")).toContain("'=why");
});

test("commas, quotes and line ends are quoted; control characters are written out", () => {
  expect(cells('a,"b".png', "why")).toMatch(/^"a,""b"".png",/);
  expect(cells("a\nb", "why")).toMatch(/^a\\x0ab,/);
});

test("a file that cannot be read has its name, flag and reason alone", () => {
  const row = cells("a.png", "why").trimEnd().split(",");
  const filled = HEADER.filter((_, index) => row[index] !== "");
  expect(filled).toEqual(["file", "flag", "reasons"]);
});
