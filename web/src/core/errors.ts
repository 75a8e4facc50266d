/** An input that cannot be used: one sentence that states the value, the rule and the remedy. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** What something thrown says, in one line that is not too long. */
export function oneLine(thrown: unknown, most = 200): string {
  const said = thrown instanceof Error ? thrown.message || thrown.name : textOf(thrown);
  const text = said.split(/\s+/).filter(Boolean).join(" ");
  return text.length <= most ? text : `${text.slice(0, most)}...`;
}

/** dicom-parser throws objects that hold what was thrown. */
function textOf(thrown: unknown): string {
  const isHolder = typeof thrown === "object" && thrown !== null && "exception" in thrown;
  return isHolder ? oneLine(thrown.exception) : String(thrown);
}
