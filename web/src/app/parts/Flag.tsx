/** A flag in a word and a shape of its own, so that no colour is needed to tell it. */
import type { Flag } from "../../core/index";

const SHAPES: Record<Flag, string> = {
  ok: "M3 8.500 6.500 12 13 4.500",
  check: "M8 2 15 14H1zM8 6.500v3.500M8 12v.4",
  "no head": "M8 1.500a6.500 6.500 0 1 0 .01 0zM3.500 12.500l9-9",
  error: "M3 3 13 13M13 3 3 13",
};

export function FlagMark({ flag }: { flag: Flag }) {
  return (
    <span class={`flag ${flag.replace(" ", "-")}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[flag]} /></svg>
      {flag}
    </span>
  );
}

/** Marks what a person's hand has changed. */
export function EditedMark() {
  return (
    <span class="flag edited">
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 14l.8-3.600L11 2.200l2.800 2.800L5.600 13.200z" /></svg>
      edited
    </span>
  );
}
