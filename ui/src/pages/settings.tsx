import { useState } from "react";
import { download } from "../grid/csv";
import { say } from "../shell/actions";
import { type Action, ACTIONS, bind, chordOf, chosen, letters, pressed, setLetters, unbindAll, whatOf } from "../shell/bindings";
import { dropLayout, exported, imported, layouts, saveLayout, takeLayout } from "../shell/layouts";
import { Panel } from "../shell/parts";
import { choose, DENSITIES, SIDES, THEMES } from "../shell/shell";
import { useCell } from "../stream/desk";

/** How the desk looks and which keys it has, kept in this browser. */
export default function SettingsPage() {
  return (
    <div className="page settings-page">
      <Panel title="Screen"><Screen /></Panel>
      <Panel title="Layouts"><Layouts /></Panel>
      <Panel title="Keys" className="grow"><Keys /></Panel>
    </div>
  );
}

function Screen() {
  const [, renew] = useState(0);
  const row = (name: "theme" | "density" | "sides", title: string, values: readonly (readonly [string, string])[]) => (
    <fieldset className="choice">
      <legend>{title}</legend>
      {values.map(([value, word]) => (
        <label key={value}><input type="radio" name={name} value={value} checked={document.documentElement.dataset[name] === value} onChange={() => { choose(name, value); renew((n) => n + 1); }} /> {word}</label>
      ))}
    </fieldset>
  );
  return (
    <>
      {row("theme", "Theme", THEMES.map((one) => [one, one] as const))}
      {row("density", "Rows", DENSITIES.map((one) => [one, one] as const))}
      {row("sides", "Buy and sell", SIDES)}
    </>
  );
}

function Layouts() {
  const [, renew] = useState(0);
  const [name, setName] = useState("");
  const known = Object.keys(layouts());
  const again = () => renew((n) => n + 1);
  const save = () => {
    const refused = saveLayout(name.trim());
    say(refused === null ? "ok" : "bad", refused ?? `The layout "${name.trim()}" is saved`);
    setName("");
    again();
  };
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      say("ok", `${imported(await file.text())} layouts were taken`);
    } catch {
      say("bad", "The file is no list of layouts");
    }
    again();
  };
  return (
    <>
      <form className="inline-form" aria-label="Save the layout" onSubmit={(event) => { event.preventDefault(); if (name.trim() !== "") save(); }}>
        <label className="field"><span>Name</span><input value={name} maxLength={60} autoComplete="off" onChange={(event) => setName(event.target.value)} /></label>
        <button type="submit" disabled={name.trim() === ""}>Save columns, order, groups and looks</button>
        <button type="button" disabled={known.length === 0} onClick={() => download("layouts.json", exported())}>To a file</button>
        <label className="field"><span>From a file</span><input type="file" accept="application/json" onChange={(event) => void take(event.target.files?.[0])} /></label>
      </form>
      {known.length === 0 ? <p className="muted">Nothing is saved under a name yet. Each list keeps its columns by itself.</p> : (
        <table className="table" aria-label="Layouts">
          <thead><tr><th>Name</th><th>Do</th></tr></thead>
          <tbody>
            {known.map((one) => (
              <tr key={one}><td>{one}</td><td><button type="button" onClick={() => takeLayout(one)}>Take it</button> <button type="button" onClick={() => { dropLayout(one); again(); }}>Forget it</button></td></tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Keys() {
  useCell(chosen);
  const on = useCell(letters);
  const [asked, setAsked] = useState<Action | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const hear = (action: Action) => (event: React.KeyboardEvent) => {
    if (asked !== action) return;
    const chord = pressed(event);
    if (chord === null) return;
    event.preventDefault();
    event.stopPropagation();
    const why = chord === "Escape" ? null : bind(action, chord);
    setRefused(why);
    if (why === null) setAsked(null);
  };
  return (
    <>
      <div className="inline-form">
        <label><input type="checkbox" checked={on} onChange={(event) => setLetters(event.target.checked)} /> Single letters and signs are keys</label>
        <button type="button" onClick={() => { unbindAll(); setRefused(null); setAsked(null); }}>The first keys again</button>
        {refused !== null && <p className="refused" role="alert">{refused}.</p>}
      </div>
      <table className="table" aria-label="Keys">
        <thead><tr><th>Key</th><th>Does</th></tr></thead>
        <tbody>
          {ACTIONS.map((action) => (
            <tr key={action}>
              <td><button type="button" aria-label={`Key of ${whatOf(action)}: ${chordOf(action)}`} aria-pressed={asked === action} onClick={() => { setAsked(asked === action ? null : action); setRefused(null); }} onKeyDown={hear(action)} onBlur={() => setAsked(null)}>{asked === action ? "press the new key" : chordOf(action)}</button></td>
              <td>{whatOf(action)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
