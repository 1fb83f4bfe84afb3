import { useEffect, useState } from "react";
import { decimal } from "../format/number";
import { useCell } from "../stream/desk";
import { asOf, dialog, ticket, useDesk } from "./context";

/** The slider over the log: what was known at a sequence. */
export function TimeBar() {
  const desk = useDesk();
  const { sequence } = useCell(desk.health);
  const past = useCell(asOf);
  const [dragged, setDragged] = useState<number | null>(null);
  const at = dragged ?? past ?? sequence;
  const go = (to: number) => {
    if (to >= sequence) asOf.set(null);
    else {
      asOf.set(Math.max(1, to));
      // What was about to be done belongs to the present.
      ticket.set(null);
      dialog.set(null);
    }
  };
  useEffect(() => {
    const onStep = (event: Event) => {
      const by = event instanceof CustomEvent ? Number(event.detail) : 0;
      const now = desk.health.get().sequence;
      const to = (asOf.get() ?? now) + by * Math.max(1, Math.floor(now / 100));
      asOf.set(to >= now ? null : Math.max(1, to));
      ticket.set(null);
    };
    document.addEventListener("desk:step", onStep);
    return () => document.removeEventListener("desk:step", onStep);
  }, [desk]);
  useEffect(() => {
    if (dragged === null) return;
    const timer = setTimeout(() => {
      go(dragged);
      setDragged(null);
    }, 150);
    return () => clearTimeout(timer);
    // The slider is followed once it rests.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [dragged]);
  return (
    <footer className={`time-bar ${past === null ? "" : "past"}`}>
      <label>
        <span>{past === null ? "Now" : "As of"}</span>
        <input type="range" min={1} max={Math.max(1, sequence)} value={Math.min(at, Math.max(1, sequence))} aria-label="Sequence of the log" aria-valuetext={past === null ? "now" : `as of sequence ${at}`} onChange={(event) => setDragged(Number(event.target.value))} />
      </label>
      <span className="time-seq" data-seq={past ?? sequence}>sequence {decimal(String(at))}{past === null ? "" : ` of ${decimal(String(sequence))}`}</span>
      {past !== null && <button type="button" onClick={() => asOf.set(null)}>Back to now</button>}
    </footer>
  );
}
