/** The whole page: from an empty one that asks for files to the image that is shown and the table of all. */
import { useEffect, useReducer, useState } from "preact/hooks";
import { type ChosenFile, droppedFiles } from "../choosing";
import type { Session } from "../session";
import { Choose } from "./Choose";
import { Shown } from "./Shown";
import { Progress } from "./Progress";
import { Table } from "./Table";

export function Page({ session }: { session: Session }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => session.subscribe(() => redraw(undefined)), [session]);
  const add = (files: readonly ChosenFile[]) => session.add(files);
  const isDraggedOver = useDrop((transfer) => {
    droppedFiles(transfer).then(add, () => session.announce("This browser does not open what was dropped; choose the files."));
  });
  const isEmpty = session.items.length === 0;
  return (
    <>
      <header>
        <h1>Fetal head circumference</h1>
        {!isEmpty && <Choose onFiles={add} isSmall />}
      </header>
      <main class={isDraggedOver ? "dragged-over" : ""}>
        {session.problem && <p class="problem" role="alert">{session.problem}</p>}
        {isEmpty ? (
          <Choose onFiles={add} isSmall={false} />
        ) : (
          <>
            <Progress session={session} />
            {session.selected && <Shown key={session.selected.id} item={session.selected} session={session} />}
            <Table session={session} />
          </>
        )}
      </main>
      <footer>
        <strong>For research use, not a medical device.</strong> <span>Nothing leaves this computer.</span>
      </footer>
      <p class="unseen" role="status">{session.announcement}</p>
    </>
  );
}

/** Files may be dropped anywhere; true while some are held above the page. */
function useDrop(take: (transfer: DataTransfer) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) take(event.dataTransfer);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return isOver;
}
