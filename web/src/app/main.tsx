/** Puts the page on the screen. */
import { render } from "preact";
import { dataBlock } from "./payload";
import { Page } from "./parts/Page";
import { Session } from "./session";

const code = URL.createObjectURL(new Blob([dataBlock("worker")], { type: "text/javascript" }));

const session = new Session(() => {
  const worker = new Worker(code);
  worker.postMessage({ kind: "load", network: dataBlock("network"), runtime: dataBlock("runtime") });
  return worker;
});

render(<Page session={session} />, document.getElementById("page")!);
