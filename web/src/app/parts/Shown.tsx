/** The image that is shown, with its ellipse, its numbers and its pixel size. */
import { useState } from "preact/hooks";
import type { Ellipse } from "../../core/index";
import { placed, type Point } from "../editing";
import type { Item } from "../item";
import type { Session } from "../session";
import { Numbers } from "./Numbers";
import { PixelSize } from "./PixelSize";
import { Viewer } from "./Viewer";

/** The points that a person sets on the image's ruler: none, one or two. */
export type Marks = readonly Point[];

export function Shown({ item, session }: { item: Item; session: Session }) {
  const [marks, setMarks] = useState<Marks | null>(null); // null where the ruler is not in use
  const frame = session.opened?.id === item.id ? session.opened.frame : null;
  const edit = (ellipse: Ellipse) => session.edit(item.id, ellipse);
  return (
    <section class="shown" aria-label={`Image ${item.name}`}>
      <Viewer frame={frame} item={item} marks={marks} onMarks={setMarks} onEdit={edit} session={session} />
      <div class="panel">
        <Numbers
          item={item}
          onPlace={frame && (() => edit(placed(frame.image.width, frame.image.height)))}
          onUndo={() => session.undoEdit(item.id)}
        />
        {item.finding && <PixelSize item={item} session={session} marks={marks} onMarks={setMarks} />}
      </div>
    </section>
  );
}
