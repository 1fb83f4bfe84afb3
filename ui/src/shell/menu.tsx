import { useEffect, useLayoutEffect, useRef } from "react";

export type MenuItem = { label: string; run: () => void; keys?: string; disabled?: string | null; checked?: boolean; danger?: boolean };

/** A context menu: arrows move, Enter takes, Escape and a press elsewhere close. */
export function Menu(props: { x: number; y: number; items: MenuItem[]; onClose: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  const { x, y, onClose } = props;
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const box = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(x, innerWidth - box.width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(y, innerHeight - box.height - 4))}px`;
    element.querySelector<HTMLElement>("[role^=menuitem]:not([aria-disabled=true])")?.focus();
  }, [x, y]);
  useEffect(() => {
    const away = (event: PointerEvent) => {
      if (!(event.target instanceof Node) || !list.current?.contains(event.target)) onClose();
    };
    document.addEventListener("pointerdown", away, true);
    return () => document.removeEventListener("pointerdown", away, true);
  }, [onClose]);
  const move = (by: number) => {
    const items = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + by + items.length) % items.length]?.focus();
  };
  return (
    <div
      ref={list} role="menu" aria-label="Actions" className="menu" tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") move(1);
        else if (event.key === "ArrowUp") move(-1);
        else if (event.key === "Escape" || event.key === "Tab") onClose();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {props.items.map((item) => (
        <button
          key={item.label} type="button" role={item.checked === undefined ? "menuitem" : "menuitemcheckbox"} aria-checked={item.checked} tabIndex={-1}
          aria-disabled={item.disabled ? true : undefined} title={item.disabled ?? undefined} className={item.danger ? "danger" : ""}
          onClick={() => {
            if (item.disabled) return;
            item.run();
            if (item.checked === undefined) onClose();
          }}
        >
          <span>{item.checked === undefined ? "" : item.checked ? "✓ " : "   "}{item.label}</span>
          {item.keys !== undefined && <kbd>{item.keys}</kbd>}
        </button>
      ))}
    </div>
  );
}
