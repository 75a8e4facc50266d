/** An input that cannot be used: one sentence that states the value, the rule and the remedy. */
export class InputError extends Error {
  override readonly name = "InputError";
}
