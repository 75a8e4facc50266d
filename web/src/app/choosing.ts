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
  const dropped = [...transfer.items].map(droppedItem); // all before the first await: then the items are gone
  const found = await Promise.all(dropped);
  return sorted(found.flat());
}

function droppedItem(item: DataTransferItem): Promise<ChosenFile[]> {
  const entry = item.webkitGetAsEntry();
  if (!entry?.isDirectory) {
    const file = item.getAsFile();
    return Promise.resolve(file ? [{ name: file.name, file }] : []);
  }
  // Chrome reads no entries on a page from disk, but handles; others have entries alone
  const handle = (item as HandleItem).getAsFileSystemHandle?.();
  return handle ? handle.then((folder) => below(folder, "")) : below(entry, "");
}

/** An item of a drop in browsers that give handles. */
type HandleItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemDirectoryHandle> };

/** A file or folder as a browser tells of it, in the one way or the other. */
type Node = FileSystemEntry | FileSystemDirectoryHandle | FileSystemFileHandle;

async function below(node: Node, folder: string): Promise<ChosenFile[]> {
  const name = `${folder}${node.name}`;
  if (isFolder(node)) {
    if (node.name.startsWith(".")) return [];
    const inside = await childrenOf(node);
    return (await Promise.all(inside.map((child) => below(child, `${name}/`)))).flat();
  }
  const file = await ("kind" in node ? node.getFile() : fileOf(node as FileSystemFileEntry));
  return (await mayBeImage(name, file)) ? [{ name, file }] : [];
}

function isFolder(node: Node): node is FileSystemDirectoryEntry | FileSystemDirectoryHandle {
  return "kind" in node ? node.kind === "directory" : node.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function childrenOf(folder: FileSystemDirectoryEntry | FileSystemDirectoryHandle): Promise<Node[]> {
  const all: Node[] = [];
  if ("kind" in folder) {
    for await (const child of folder.values()) all.push(child as FileSystemDirectoryHandle | FileSystemFileHandle);
    return all;
  }
  const reader = folder.createReader();
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
