/** Asks for files: large on an empty page, two buttons later on. */
import { useRef } from "preact/hooks";
import { type ChosenFile, chosenFiles } from "../choosing";

export function Choose({ onFiles, isSmall }: { onFiles: (files: readonly ChosenFile[]) => void; isSmall: boolean }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    void chosenFiles([...(input.files ?? [])]).then((chosen) => {
      input.value = ""; // so that the same file can be chosen again
      onFiles(chosen);
    });
  };
  const buttons = (
    <div class="buttons">
      <button type="button" class={isSmall ? "" : "main"} onClick={() => files.current!.click()}>
        {isSmall ? "Add images" : "Choose images"}
      </button>
      <button type="button" onClick={() => folder.current!.click()}>{isSmall ? "Add a folder" : "Choose a folder"}</button>
      <input ref={files} id="files" type="file" multiple hidden accept=".png,.jpg,.jpeg,.dcm,image/png,image/jpeg,application/dicom,*/*" onChange={take} />
      <input ref={folder} id="folder" type="file" hidden {...{ webkitdirectory: true }} onChange={take} />
    </div>
  );
  if (isSmall) return buttons;
  return (
    <section class="choose" aria-label="Choose images">
      <svg viewBox="0 0 120 90" aria-hidden="true">
        <path class="fan" d="M44 8h32l34 62a90 90 0 0 1-100 0z" />
        <ellipse class="head" cx="60" cy="52" rx="29" ry="22" transform="rotate(-12 60 52)" />
        <path class="axis" d="M31.600 58 88.400 46M55.400 30.500 64.600 73.500" />
      </svg>
      <h2>Drop ultrasound images of a fetal head here</h2>
      <p>PNG, JPEG or DICOM, one or many, or a folder. The images stay on this computer.</p>
      {buttons}
    </section>
  );
}
