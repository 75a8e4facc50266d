/** How far the measuring is, with a way to stop it and to go on. */
import type { Session } from "../session";

export function Progress({ session }: { session: Session }) {
  const { doneCount, isMeasuring, isReady, isStopped, items } = session;
  const left = items.length - doneCount;
  if (!isMeasuring && !(isStopped && left > 0)) return null;
  const text = isStopped
    ? `Stopped: ${doneCount} of ${items.length} measured`
    : isReady ? `Measuring ${Math.min(doneCount + 1, items.length)} of ${items.length}` : "Loading the network";
  return (
    <div class="progress">
      <label for="progress">{text}</label>
      <progress id="progress" max={items.length} value={doneCount} />
      {isStopped ? (
        <button type="button" onClick={() => session.resume()}>Go on</button>
      ) : (
        <button type="button" onClick={() => session.stop()}>Stop</button>
      )}
    </div>
  );
}
