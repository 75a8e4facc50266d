import { expect, test } from "vitest";
import { chosenFiles } from "../../src/app/choosing";

function file(path: string, bytes: BlobPart = "x"): File {
  const made = new File([bytes], path.slice(path.lastIndexOf("/") + 1));
  return Object.defineProperty(made, "webkitRelativePath", { value: path.includes("/") ? path : "" });
}

const dicom = new Uint8Array([...Array(128).fill(0), ...new TextEncoder().encode("DICM")]);
const names = async (...files: File[]) => (await chosenFiles(files)).map(({ name }) => name);

test("files that were chosen one by one are all taken, whatever they are", async () => {
  expect(await names(file("b.txt"), file("a.png"))).toEqual(["a.png", "b.txt"]);
});

test("of a folder those are taken that may be images, as predict.py does", async () => {
  const taken = ["f/1.PNG", "f/2.jpeg", "f/3.dcm", "f/sub/4.jpg"].map((path) => file(path));
  const left = ["f/.hidden.png", "f/notes.txt", "f/DICOMDIR", "f/Thumbs.db", "f/clip.mp4"].map((path) => file(path));
  expect(await names(...taken, ...left)).toEqual(["f/1.PNG", "f/2.jpeg", "f/3.dcm", "f/sub/4.jpg"]);
});

test("a file without a suffix is taken by DICOM's mark", async () => {
  expect(await names(file("f/IM0001", dicom), file("f/IM0002", "no"), file("f/1.2.840.1", dicom))).toEqual(["f/1.2.840.1", "f/IM0001"]);
});

test("numbers in names count as numbers", async () => {
  expect(await names(file("10.png"), file("9.png"))).toEqual(["9.png", "10.png"]);
});
