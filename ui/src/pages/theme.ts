import { Cell } from "../stream/table";

/** Changes when another theme is chosen: what is drawn takes its colours anew. */
export const themed = new Cell(0);
