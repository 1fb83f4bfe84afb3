import { useSyncExternalStore } from "react";

/** Where the desk is: the path, and what stands in the query. A page is a link; so is a filter. */
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};
window.addEventListener("popstate", tell);

export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  tell();
}

export function useLocation(): { path: string; query: URLSearchParams } {
  const at = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname + location.search,
  );
  const [path = "/", query = ""] = at.split("?");
  return { path, query: new URLSearchParams(query) };
}

/** One word of the query, kept in the address. */
export function useQuery(name: string): [string, (value: string) => void] {
  const { path, query } = useLocation();
  return [
    query.get(name) ?? "",
    (value) => {
      const next = new URLSearchParams(query);
      if (value === "") next.delete(name);
      else next.set(name, value);
      const text = next.toString();
      navigate(text === "" ? path : `${path}?${text}`, true);
    },
  ];
}
