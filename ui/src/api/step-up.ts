import { Cell } from "../stream/table";

/** A question for the second factor that is open; whoever waits for it hears whether it was shown. */
export const asked = new Cell<{ settle: (shown: boolean) => void } | null>(null);
let waiting: Promise<boolean> | null = null;

/** Asks for the second factor, once for however many requests need it. Answers whether it was shown. */
export function askForFactor(): Promise<boolean> {
  waiting ??= new Promise<boolean>((resolve) => {
    asked.set({
      settle: (shown) => {
        asked.set(null);
        waiting = null;
        resolve(shown);
      },
    });
  });
  return waiting;
}

/** Whether a refusal says that the second factor has to be shown again. */
export function wantsFactor(body: unknown): boolean {
  const refusal = body as { details?: { step_up?: unknown } } | null;
  return refusal?.details?.step_up !== undefined;
}
