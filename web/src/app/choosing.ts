/** From what a person drops or chooses to a list of files, with their paths below a dropped folder. */

/** A file, and what tables call it. */
export interface ChosenFile {
  readonly name: string;
  readonly file: File;
}

const SUFFIX = /\.(png|jpe?g|dcm|dicom)$/i;
const HIDDEN = /^(\.|dicomdir|thumbs\.db)/i;

/** The files of an `<input type="file">`. Of a folder those are taken that may be images. */
export async function chosenFiles(files: Iterable<File>): Promise<ChosenFile[]> {
  const all = [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  const wanted = await Promise.all(all.map(({ name, file }) => !name.includes("/") || mayBeImage(name, file)));
  return sorted(all.filter((_, index) => wanted[index]));
}

/** The files of a drop. Of folders, with all folders in them, those are taken that may be images. */
export async function droppedFiles(transfer: DataTransfer): Promise<ChosenFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()); // before any await: then they are gone
  const files = [...transfer.files];
  if (entries.every((entry) => entry === null)) return chosenFiles(files);
  const found: ChosenFile[] = [];
  for (const entry of entries) {
    if (entry) found.push(...(await filesBelow(entry, true)));
  }
  return sorted(found);
}

async function filesBelow(entry: FileSystemEntry, isChosen: boolean): Promise<ChosenFile[]> {
  const name = entry.fullPath.replace(/^\//, "");
  if (entry.isDirectory) {
    if (entry.name.startsWith(".")) return [];
    const inside = await entriesOf(entry as FileSystemDirectoryEntry);
    return (await Promise.all(inside.map((child) => filesBelow(child, false)))).flat();
  }
  const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
  return isChosen || (await mayBeImage(name, file)) ? [{ name, file }] : [];
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all; // a browser gives a hundred at a time
    all.push(...some);
  }
}

/** As `predict.py` looks through folders: by the suffix, or without one by DICOM's mark. */
async function mayBeImage(path: string, file: File): Promise<boolean> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (HIDDEN.test(name)) return false;
  if (SUFFIX.test(name)) return true;
  if (/\.[^.]*[^.\d][^.]*$/.test(name)) return false;
  return (await file.slice(128, 132).text()) === "DICM";
}

function sorted(files: ChosenFile[]): ChosenFile[] {
  return files.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
}
