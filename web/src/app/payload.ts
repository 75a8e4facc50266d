/** What the build has packed into the page as text: gzipped bytes in base64. */

/** The bytes that were packed. */
export async function unpacked(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The text of one of the page's data blocks. */
export function dataBlock(id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`the page holds no "${id}": it was not saved whole; get it again`);
  return text.trim();
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
