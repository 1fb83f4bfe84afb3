/** What a person made of a grid, kept in the browser. */
export type Layout = { sort: { id: string; down: boolean } | null; hidden: string[]; widths: Record<string, number>; order: string[]; group: string | null };

export const PLAIN: Layout = { sort: null, hidden: [], widths: {}, order: [], group: null };

export function load(name: string, first: Partial<Layout>): Layout {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(`oms.grid.${name}`) ?? "null");
    if (typeof kept === "object" && kept !== null) return { ...PLAIN, ...first, ...(kept as Partial<Layout>) };
  } catch {
    // A layout that cannot be read is the first one.
  }
  return { ...PLAIN, ...first };
}

export function save(name: string, layout: Layout): void {
  localStorage.setItem(`oms.grid.${name}`, JSON.stringify(layout));
}

/** Columns in the order that the layout has; new ones keep their place at the end. */
export function arranged<C extends { id: string }>(columns: readonly C[], layout: Layout): C[] {
  const place = (column: C) => {
    const at = layout.order.indexOf(column.id);
    return at < 0 ? layout.order.length + columns.indexOf(column) : at;
  };
  return [...columns].sort((a, b) => place(a) - place(b));
}
