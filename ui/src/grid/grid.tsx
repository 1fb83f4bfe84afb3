import { memo, type ReactNode, useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { compare } from "../format/number";
import { Menu, type MenuItem } from "../shell/menu";
import { csv, download } from "./csv";
import { parse, takes, type Term } from "./filter";
import { arranged, type Layout, load, save } from "./layout";

export type Column<T> = {
  id: string;
  title: string;
  width: number;
  right?: boolean;
  /** The exact text: what is filtered, exported and compared. */
  text: (row: T) => string;
  cell?: (row: T) => ReactNode;
  /** Texts are decimals. */
  decimal?: boolean;
  /** Not shown until somebody asks for it. */
  hidden?: boolean;
  groups?: boolean;
};

/** Rows that somebody else filters, sorts and groups, of whom a part is here. */
export type RowSource<T> = {
  /** The lines that are here, the first of which is the `offset`th. */
  readonly lines: readonly ({ row: T } | { group: string; count: number; open: boolean })[];
  readonly offset: number;
  /** Lines and rows that there are. */
  readonly height: number;
  readonly total: number;
  readonly begun: boolean;
  readonly refusal: string | null;
  readonly changed: ReadonlyMap<string, number>;
  /** These lines are seen. */
  show(from: number, to: number): void;
  fold(group: string, open: boolean): void;
  all(): Promise<T[]>;
};

type Props<T> = {
  name: string;
  label: string;
  rows: readonly T[];
  /** Where it is given, rows come from there and not from `rows`. */
  source?: RowSource<T> | null;
  /** Told how the rows are to be sorted and grouped. */
  onLayout?: (layout: Layout) => void;
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
  layout?: Partial<Layout>;
  /** When each row changed, for the flash. */
  changed?: ReadonlyMap<string, number>;
  onOpen?: (row: T) => void;
  onActive?: (row: T | null) => void;
  menu?: (row: T, selected: T[]) => MenuItem[];
  onKey?: (event: React.KeyboardEvent, row: T | null, selected: T[]) => boolean;
  /** Near the end of what is there. */
  onEnd?: () => void;
  filter?: string;
  onFilter?: (line: string) => void;
  tools?: (shown: T[], selected: T[]) => ReactNode;
  depth?: (row: T) => number;
  rowClass?: (row: T) => string;
  empty?: string;
  plain?: boolean;
};

/** The lines that are here: all of them, or a part. */
type Lines<T> = { held: readonly Line<T>[]; offset: number; length: number };
type Line<T> = { kind: "row"; key: string; row: T } | { kind: "group"; key: string; title: string; count: number; open: boolean };

const OVERSCAN = 8;
/** Ranks move at most so often: rows that jump are rows that are missed. */
const RANK_MS = 250;

const COMPACT = { row: 24, letters: 12 };
/** The height of a row and the size of its letters, as the sheet has them. */
const SIZES: Record<string, typeof COMPACT> = { compact: COMPACT, normal: { row: 28, letters: 13 }, comfortable: { row: 40, letters: 15 } };
const sizes = () => SIZES[document.documentElement.dataset.density ?? "compact"] ?? COMPACT;

export const rowHeight = (): number => sizes().row;

/** Widths are meant for compact rows: where letters are larger, columns are wider by as much, so that no amount is cut. */
const widening = (): number => sizes().letters / COMPACT.letters;

/** Sorts and filters; the sorted order is renewed four times a second at most, values at once. */
function useRanked<T>(rows: readonly T[], columns: readonly Column<T>[], terms: readonly Term[], sort: Layout["sort"]): readonly T[] {
  const [, renew] = useState(0);
  const kept = useRef<{ at: number; rows: readonly T[]; from: readonly T[]; terms: readonly Term[]; sort: Layout["sort"] } | null>(null);
  const now = performance.now();
  const known = kept.current;
  const asked = known === null || known.terms !== terms || known.sort !== sort;
  if (asked || (known.from !== rows && now - known.at >= RANK_MS)) {
    const fields = columns.map((column) => column.id);
    const byId = new Map(columns.map((column) => [column.id, column]));
    const meant = terms.length === 0 ? [...rows] : rows.filter((row) => takes(terms, fields, (field) => byId.get(field)?.text(row) ?? null));
    const column = sort === null ? undefined : byId.get(sort.id);
    if (column !== undefined && sort !== null) {
      const keyed = meant.map((row) => ({ row, text: column.text(row) }));
      const order = column.decimal ? (a: string, b: string) => (a === "" ? -1 : b === "" ? 1 : compare(a, b)) : (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
      keyed.sort((a, b) => (sort.down ? order(b.text, a.text) : order(a.text, b.text)));
      meant.splice(0, meant.length, ...keyed.map((one) => one.row));
    }
    kept.current = { at: now, rows: meant, from: rows, terms, sort };
  }
  const behind = kept.current !== null && kept.current.from !== rows;
  useEffect(() => {
    if (!behind) return;
    const timer = setTimeout(() => renew((n) => n + 1), RANK_MS);
    return () => clearTimeout(timer);
  }, [behind]);
  return kept.current?.rows ?? rows;
}

export function Grid<T>(props: Props<T>) {
  const { columns, keyOf, rows } = props;
  const [layout, setLayout] = useState(() =>
    load(props.name, { hidden: columns.filter((column) => column.hidden).map((column) => column.id), ...props.layout }),
  );
  const change = (next: Partial<Layout>) =>
    setLayout((known) => {
      const made = { ...known, ...next };
      save(props.name, made);
      return made;
    });
  const [ownFilter, setOwnFilter] = useState("");
  const filter = props.filter ?? ownFilter;
  const terms = useMemo(() => parse(filter), [filter]);
  const shownColumns = useMemo(() => arranged(columns, layout).filter((column) => !layout.hidden.includes(column.id)), [columns, layout]);
  const source = props.source ?? null;
  const { onLayout } = props;
  useEffect(() => onLayout?.(layout), [layout, onLayout]);
  const ranked = useRanked(rows, columns, terms, layout.sort);
  // The order may be a moment old; what stands in a row never is.
  const fresh = useMemo(() => new Map(rows.map((row) => [keyOf(row), row])), [rows, keyOf]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const local = useMemo<Line<T>[]>(() => {
    const line = (row: T): Line<T> => {
      const key = keyOf(row);
      return { kind: "row", key, row: fresh.get(key) ?? row };
    };
    const by = columns.find((column) => column.id === layout.group);
    if (by === undefined) return ranked.map(line);
    const groups = new Map<string, T[]>();
    for (const row of ranked) {
      const title = by.text(row) || "none";
      const group = groups.get(title);
      if (group === undefined) groups.set(title, [row]);
      else group.push(row);
    }
    return [...groups].flatMap(([title, members]) => {
      const open = !closed.has(title);
      const head: Line<T> = { kind: "group", key: `group ${title}`, title: `${by.title}: ${title}`, count: members.length, open };
      return open ? [head, ...members.map(line)] : [head];
    });
  }, [ranked, fresh, columns, layout.group, closed, keyOf]);
  const by = columns.find((column) => column.id === layout.group);
  const [here, offset, tall] = [source?.lines ?? null, source?.offset ?? 0, source?.height ?? 0];
  const lines = useMemo<Lines<T>>(() => {
    if (here === null) return { held: local, offset: 0, length: local.length };
    const held = here.map((line): Line<T> =>
      "row" in line
        ? { kind: "row", key: keyOf(line.row), row: line.row }
        : { kind: "group", key: `group ${line.group}`, title: `${by?.title ?? ""}: ${line.group || "none"}`, count: line.count, open: line.open },
    );
    return { held, offset, length: tall };
  }, [local, here, offset, tall, keyOf, by]);
  const lineAt = (at: number): Line<T> | undefined => lines.held[at - lines.offset];

  const body = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const height = rowHeight();
  useLayoutEffect(() => {
    const element = body.current;
    if (element === null) return;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const head = height + 2;
  const from = Math.max(0, Math.floor(view.top / height) - OVERSCAN);
  const to = Math.min(lines.length, Math.ceil((view.top + view.height) / height) + OVERSCAN);
  useEffect(() => source?.show(from, to), [source, from, to, tall]);
  const { onEnd } = props;
  useEffect(() => {
    if (onEnd !== undefined && to >= lines.length - 5) onEnd();
  }, [to, lines.length, onEnd]);

  const [activeKey, setActiveKey] = useState<string | null>(null);
  // With the rows, since those of a source may not be here any more.
  const [selected, setSelected] = useState<ReadonlyMap<string, T>>(new Map());
  const [wanted, setWanted] = useState<number | null>(null);
  const [menu, setMenu] = useState<{ x: number; y: number; items: MenuItem[] } | null>(null);
  const found = lines.held.findIndex((line) => line.key === activeKey);
  // Where it was, while it is out of what is here.
  const lastAt = useRef(-1);
  if (found >= 0) lastAt.current = lines.offset + found;
  const activeAt = found >= 0 ? lines.offset + found : source !== null && activeKey !== null ? lastAt.current : -1;
  const active = lines.held[found];
  const activeRow = active?.kind === "row" ? active.row : null;
  const { onActive } = props;
  useEffect(() => {
    onActive?.(activeRow);
  }, [activeRow, onActive]);
  const picked = useMemo(() => {
    if (selected.size === 0) return [];
    const here = new Map(lines.held.flatMap((line) => (line.kind === "row" ? [[line.key, line.row] as const] : [])));
    if (source === null) return lines.held.flatMap((line) => (line.kind === "row" && selected.has(line.key) ? [line.row] : []));
    return [...selected].map(([key, row]) => here.get(key) ?? row);
  }, [lines, selected, source]);
  // What was picked under another filter is not meant any more.
  useEffect(() => setSelected(new Map()), [filter]);
  const wantedKey = wanted === null ? undefined : lineAt(wanted)?.key;
  useEffect(() => {
    if (wantedKey === undefined) return;
    setActiveKey(wantedKey);
    setWanted(null);
  }, [wantedKey]);
  const meant = (row: T | null): T[] => (picked.length > 0 ? picked : row === null ? [] : [row]);
  const id = useId();
  // Rows are not drawn again for what only their handlers need.
  const live = useRef({ lines, activeAt, selected });
  live.current = { lines, activeAt, selected };

  const go = useCallback(
    (at: number) => {
      const bounded = Math.max(0, Math.min(lines.length - 1, at));
      if (lines.length === 0) return;
      const line = lines.held[bounded - lines.offset];
      // One that is not here yet is chosen once it is.
      if (line === undefined) setWanted(bounded);
      else setActiveKey(line.key);
      const element = body.current;
      if (element === null) return;
      const [top, bottom] = [bounded * height, (bounded + 1) * height];
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight - head) element.scrollTop = bottom - element.clientHeight + head;
    },
    [lines, height, head],
  );
  const fold = (line: Line<T>, open?: boolean) => {
    if (line.kind !== "group") return;
    const title = line.title.slice(line.title.indexOf(": ") + 2);
    if (source !== null) return source.fold(line.key.slice("group ".length), open ?? !line.open);
    setClosed((known) => {
      const next = new Set(known);
      if (open ?? next.has(title)) next.delete(title);
      else next.add(title);
      return next;
    });
  };
  const toggle = (key: string, row: T) =>
    setSelected((known) => {
      const next = new Map(known);
      if (!next.delete(key)) next.set(key, row);
      return next;
    });
  const pickAll = (all: readonly T[]) => setSelected(new Map(all.map((row) => [keyOf(row), row])));
  const openMenu = (row: T, x: number, y: number) => {
    const items = props.menu?.(row, meant(row)) ?? [];
    if (items.length > 0) setMenu({ x, y, items });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if (props.onKey?.(event, activeRow, meant(activeRow))) return event.preventDefault();
    const page = Math.max(1, Math.floor(view.height / height) - 2);
    const moves: Record<string, number> = {
      ArrowDown: activeAt + 1, ArrowUp: Math.max(0, activeAt - 1), Home: 0, End: lines.length - 1, PageDown: activeAt + page, PageUp: activeAt - page,
    };
    const move = moves[event.key];
    if (move !== undefined && !event.altKey && !event.metaKey) {
      if (event.shiftKey && active?.kind === "row" && !selected.has(active.key)) toggle(active.key, active.row);
      go(move);
      const line = lineAt(Math.max(0, Math.min(lines.length - 1, move)));
      if (event.shiftKey && line?.kind === "row" && !selected.has(line.key)) toggle(line.key, line.row);
    } else if (event.key === " " && activeRow !== null && active !== undefined) toggle(active.key, activeRow);
    else if ((event.ctrlKey || event.metaKey) && event.key === "a") void allRows().then(pickAll).catch(() => undefined);
    else if ((event.ctrlKey || event.metaKey) && event.key === "c" && meant(activeRow).length > 0) {
      const text = meant(activeRow).map((row) => shownColumns.map((column) => column.text(row)).join("\t")).join("\n");
      void navigator.clipboard.writeText(text);
    } else if (event.key === "Escape" && selected.size > 0) setSelected(new Map());
    else if (event.key === "Enter" && active?.kind === "group") fold(active);
    else if (event.key === "Enter" && activeRow !== null) props.onOpen?.(activeRow);
    else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && active?.kind === "group") fold(active, event.key === "ArrowRight");
    else if ((event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) && activeRow !== null) {
      const box = body.current?.getBoundingClientRect();
      openMenu(activeRow, (box?.left ?? 0) + 40, (box?.top ?? 0) + head + (activeAt + 1) * height - view.top);
    } else return;
    event.preventDefault();
  };
  const wider = widening();
  const widthOf = (column: Column<T>) => Math.round((layout.widths[column.id] ?? column.width) * wider);
  const template = shownColumns.map((column) => `${widthOf(column)}px`).join(" ") + " minmax(8px, 1fr)";
  const width = shownColumns.reduce((sum, column) => sum + widthOf(column), 8);
  const shownRows = () => lines.held.flatMap((line) => (line.kind === "row" ? [line.row] : []));
  /** Every row that passes the filter, those of a source up to its bound. */
  const allRows = (): Promise<T[]> => (source === null ? Promise.resolve(shownRows()) : source.all());
  const exportCsv = async () => {
    const found = picked.length > 0 ? picked : await allRows();
    download(`${props.name}.csv`, csv([shownColumns.map((column) => column.id), ...found.map((row) => shownColumns.map((column) => column.text(row)))]));
  };
  const columnMenu = (x: number, y: number) =>
    setMenu({
      x, y,
      items: [
        ...columns.map((column) => ({
          label: column.title || column.id, checked: !layout.hidden.includes(column.id),
          run: () => change({ hidden: layout.hidden.includes(column.id) ? layout.hidden.filter((one) => one !== column.id) : [...layout.hidden, column.id] }),
        })),
        { label: "Reset the columns", run: () => change({ hidden: columns.filter((column) => column.hidden).map((column) => column.id), widths: {}, order: [], sort: props.layout?.sort ?? null, group: null }) },
      ],
    });

  return (
    <div className="grid">
      {!props.plain && (
        <div className="grid-tools">
          <input
            type="search" className="grid-filter" placeholder="filter: bac side=buy qty>1000" aria-label={`Filter ${props.label}`} value={filter} data-filter
            onChange={(event) => (props.onFilter ?? setOwnFilter)(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Escape" && event.key !== "ArrowDown" && event.key !== "Enter") return;
              if (event.key === "Escape") (props.onFilter ?? setOwnFilter)("");
              body.current?.focus();
              event.preventDefault();
              event.stopPropagation();
            }}
          />
          {columns.some((column) => column.groups) && (
            <select aria-label={`Group ${props.label}`} value={layout.group ?? ""} onChange={(event) => change({ group: event.target.value || null })}>
              <option value="">no groups</option>
              {columns.filter((column) => column.groups).map((column) => (
                <option key={column.id} value={column.id}>by {column.title.toLowerCase()}</option>
              ))}
            </select>
          )}
          <span className="grid-count" role="status">
            {source !== null ? (source.begun ? source.total : "…") : lines.length === rows.length || layout.group !== null ? `${rows.length}` : `${lines.length} of ${rows.length}`}
            {picked.length > 0 ? `, ${picked.length} selected` : ""}
          </span>
          <span className="spacer" />
          {props.tools?.(shownRows(), picked)}
          <button type="button" className="quiet" onClick={(event) => columnMenu(event.clientX, event.clientY + 8)} aria-haspopup="menu">Columns</button>
          <button type="button" className="quiet" onClick={() => void exportCsv()}>CSV</button>
        </div>
      )}
      <div
        ref={body} className="grid-body" role={layout.group !== null || props.depth ? "treegrid" : "grid"} aria-label={props.label} tabIndex={0}
        aria-rowcount={lines.length + 1} aria-colcount={shownColumns.length} aria-multiselectable="true"
        aria-activedescendant={activeAt >= from && activeAt < to ? `${id}-${activeAt}` : undefined}
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
        onKeyDown={onKeyDown}
        onFocus={(event) => event.target === event.currentTarget && activeAt < 0 && go(0)}
      >
        <div className="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, minWidth: width }}>
          {shownColumns.map((column, at) => (
            <Head
              key={column.id} column={column} sort={layout.sort} at={at}
              onSort={() => change({ sort: layout.sort?.id !== column.id ? { id: column.id, down: false } : layout.sort.down ? null : { id: column.id, down: true } })}
              onWidth={(wide) => change({ widths: { ...layout.widths, [column.id]: Math.round(wide / wider) } })}
              onDrop={(dropped) => {
                const ids = arranged(columns, layout).map((one) => one.id).filter((one) => one !== dropped);
                ids.splice(ids.indexOf(column.id), 0, dropped);
                change({ order: ids });
              }}
              width={widthOf(column)}
            />
          ))}
        </div>
        <div className="grid-rows" role="rowgroup" style={{ height: lines.length * height, minWidth: width }}>
          {lines.held.slice(Math.max(0, from - lines.offset), Math.max(0, to - lines.offset)).map((line, nth) => {
            const at = Math.max(from, lines.offset) + nth;
            if (line.kind === "group") {
              return (
                <div
                  key={line.key} id={`${id}-${at}`} role="row" aria-rowindex={at + 2} aria-level={1} aria-expanded={line.open} style={{ top: at * height, height }}
                  className={`grid-row grid-group ${line.key === activeKey ? "active" : ""}`}
                  onPointerDown={() => { setActiveKey(line.key); fold(line); }}
                >
                  <span role="gridcell" aria-colindex={1}>{line.open ? "▾" : "▸"} {line.title} <b>{line.count}</b></span>
                </div>
              );
            }
            return (
              <Row
                key={line.key} id={`${id}-${at}`} at={at} row={line.row} columns={shownColumns} template={template} top={at * height} height={height}
                active={line.key === activeKey} selected={selected.has(line.key)} changedAt={(source?.changed ?? props.changed)?.get(line.key) ?? 0}
                depth={props.depth?.(line.row) ?? null} className={props.rowClass?.(line.row) ?? ""} grouped={layout.group !== null}
                onPress={(event) => {
                  if (event.button === 2) return;
                  setActiveKey(line.key);
                  if (event.ctrlKey || event.metaKey) toggle(line.key, line.row);
                  else if (event.shiftKey && live.current.activeAt >= 0) {
                    const [low, high] = [Math.min(live.current.activeAt, at), Math.max(live.current.activeAt, at)];
                    const { held, offset: first } = live.current.lines;
                    pickAll(held.slice(Math.max(0, low - first), Math.max(0, high + 1 - first)).flatMap((one) => (one.kind === "row" ? [one.row] : [])));
                  } else if (live.current.selected.size > 0) setSelected(new Map());
                }}
                onOpen={() => props.onOpen?.(line.row)}
                onMenu={(event) => {
                  event.preventDefault();
                  setActiveKey(line.key);
                  openMenu(line.row, event.clientX, event.clientY);
                }}
              />
            );
          })}
        </div>
        {lines.length === 0 && <div className="grid-empty" role="row"><span role="gridcell">{source !== null && !source.begun ? "Looking…" : source?.refusal ? source.refusal : filter === "" ? (props.empty ?? "Nothing here yet.") : "Nothing passes the filter."}</span></div>}
      </div>
      {menu !== null && <Menu {...menu} onClose={() => { setMenu(null); body.current?.focus(); }} />}
    </div>
  );
}

function Head<T>(props: {
  column: Column<T>; sort: Layout["sort"]; at: number; width: number;
  onSort: () => void; onWidth: (width: number) => void; onDrop: (id: string) => void;
}) {
  const { column, sort } = props;
  const sorted = sort?.id === column.id ? (sort.down ? "descending" : "ascending") : "none";
  return (
    <div
      className={`grid-th ${column.right ? "right" : ""}`} role="columnheader" aria-colindex={props.at + 1} aria-sort={sorted} draggable
      onDragStart={(event) => event.dataTransfer.setData("text/column", column.id)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => { const id = event.dataTransfer.getData("text/column"); if (id !== "" && id !== column.id) props.onDrop(id); }}
    >
      <button type="button" tabIndex={-1} onClick={props.onSort} title={`Sort by ${column.title}`}>
        {column.title}<span aria-hidden="true">{sorted === "none" ? "" : sorted === "ascending" ? " ▴" : " ▾"}</span>
      </button>
      <span
        className="grid-size" aria-hidden="true"
        onPointerDown={(event) => {
          event.preventDefault();
          const [begin, wide, handle] = [event.clientX, props.width, event.currentTarget];
          handle.setPointerCapture(event.pointerId);
          handle.onpointermove = (move) => props.onWidth(Math.max(32, wide + move.clientX - begin));
          handle.onpointerup = () => { handle.onpointermove = null; };
        }}
      />
    </div>
  );
}

type RowProps<T> = {
  id: string; at: number; row: T; columns: readonly Column<T>[]; template: string; top: number; height: number; active: boolean; selected: boolean;
  changedAt: number; depth: number | null; className: string; grouped: boolean;
  onPress: (event: React.PointerEvent) => void; onOpen: () => void; onMenu: (event: React.MouseEvent) => void;
};

function RowOf<T>(props: RowProps<T>) {
  const { row, columns, depth } = props;
  const before = useRef<{ row: T; texts: Map<string, string> } | null>(null);
  const [flashing, setFlashing] = useState<ReadonlySet<string>>(new Set());
  const { changedAt } = props;
  useEffect(() => {
    const texts = new Map(columns.map((column) => [column.id, column.text(row)]));
    const known = before.current;
    before.current = { row, texts };
    if (known === null || known.row === row || Date.now() - changedAt > 1_000) return;
    const moved = [...texts].filter(([id, text]) => known.texts.get(id) !== text && known.texts.has(id)).map(([id]) => id);
    if (moved.length > 0) setFlashing(new Set(moved));
  }, [row, columns, changedAt]);
  useEffect(() => {
    if (flashing.size === 0) return;
    const timer = setTimeout(() => setFlashing(new Set()), 400);
    return () => clearTimeout(timer);
  }, [flashing]);
  return (
    <div
      id={props.id} role="row" aria-rowindex={props.at + 2} aria-selected={props.selected} aria-level={depth !== null ? depth + 1 : props.grouped ? 2 : undefined}
      className={`grid-row ${props.active ? "active" : ""} ${props.selected ? "selected" : ""} ${props.className}`}
      style={{ gridTemplateColumns: props.template, top: props.top, height: props.height }}
      onPointerDown={props.onPress} onDoubleClick={props.onOpen} onContextMenu={props.onMenu}
    >
      {columns.map((column, at) => (
        <span
          key={column.id} role="gridcell" aria-colindex={at + 1} data-column={column.id} title={column.text(row) || undefined} className={`${column.right ? "right" : ""} ${flashing.has(column.id) ? "flash" : ""}`}
          style={at === 0 && depth !== null && depth > 0 ? { paddingLeft: 8 + depth * 14 } : undefined}
        >
          {column.cell === undefined ? column.text(row) : column.cell(row)}
        </span>
      ))}
    </div>
  );
}

const Row = memo(RowOf, (one, other) =>
  one.row === other.row && one.active === other.active && one.selected === other.selected && one.top === other.top && one.height === other.height &&
  one.template === other.template && one.columns === other.columns && one.className === other.className && one.at === other.at && one.grouped === other.grouped,
) as typeof RowOf;
