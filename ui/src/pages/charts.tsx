import { useQuery as useAsked } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { api, explain, unwrap } from "../api/client";
import { useDesk } from "../shell/context";
import { useCell } from "../stream/desk";
import { candles, type Candle, drawn, gaps, merged, spaced } from "./candles";
import { themed } from "./theme";

/** Colours of the sheet, for what is drawn and not laid out. */
function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options() {
  return {
    autoSize: true,
    layout: { background: { color: token("--panel") }, textColor: token("--muted"), fontSize: 11, attributionLogo: false },
    grid: { vertLines: { color: token("--line") }, horzLines: { color: token("--line") } },
    rightPriceScale: { borderColor: token("--line") },
    timeScale: { borderColor: token("--line"), timeVisible: true, secondsVisible: true, barSpacing: 9, maxBarSpacing: 14, rightOffset: 2 },
  };
}

function Attribution() {
  return <p className="attribution">Chart by <a href="https://www.tradingview.com/" rel="noreferrer">TradingView</a> Lightweight Charts™</p>;
}

/** The chart knows UTC alone: it is given the clock of the user. */
function local(ms: number): number {
  return Math.floor(ms / 1_000) - new Date(ms).getTimezoneOffset() * 60;
}

const SPANS = [["10s", "10 s"], ["1m", "1 min"], ["5m", "5 min"], ["1d", "1 day"]] as const;
type Span = (typeof SPANS)[number][0];
const LENGTH_MS: Record<Span, number> = { "10s": 10_000, "1m": 60_000, "5m": 300_000, "1d": 86_400_000 };
const MOST = 500;
/** How often they are drawn anew. */
const DRAW_MS = 500;

/** Candles of an instrument: ten seconds as this tab saw them, or the bars that the desk keeps. */
export function Candles({ symbol, first = "10s" }: { symbol: string; first?: Span }) {
  const [span, setSpan] = useState<Span>(first);
  return (
    <div className="chart">
      <div className="segments chart-spans" role="group" aria-label="Span of a candle">
        {SPANS.map(([value, word]) => <button key={value} type="button" aria-pressed={span === value} onClick={() => setSpan(value)}>{word}</button>)}
      </div>
      {span === "10s" ? <Seen symbol={symbol} /> : <Kept key={`${symbol} ${span}`} symbol={symbol} span={span} />}
      <Attribution />
    </div>
  );
}

/** Candles of the mid as this tab saw it. */
function Seen({ symbol }: { symbol: string }) {
  const desk = useDesk();
  const read = useCallback(() => candles(desk.ticks.get(symbol) ?? [], 10_000), [desk, symbol]);
  return <Drawn symbol={symbol} span="10s" read={read} />;
}

/** Bars of the desk: all that it has once, then the newest as they grow. */
function Kept({ symbol, span }: { symbol: string; span: Exclude<Span, "10s"> }) {
  const bars = useRef<Candle[]>([]);
  const [refused, setRefused] = useState<string | null>(null);
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const limit = bars.current.length === 0 ? MOST : 2;
        const found = await unwrap(api.GET("/api/v1/marketdata/bars/{symbol}", { params: { path: { symbol }, query: { span, limit } as never } }));
        if (ended) return;
        // After a sleep the last two bars do not join on to what is known: all of it is asked for again.
        const told = found.data.map(drawn);
        const joins = limit === MOST || (told[0]?.at ?? 0) <= (bars.current.at(-1)?.at ?? 0);
        bars.current = joins ? merged(bars.current, told, MOST) : [];
        setRefused(null);
      } catch (error) {
        if (!ended) setRefused(explain(error));
      }
      if (!ended) timer = setTimeout(() => void ask(), 1_000);
    };
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [symbol, span]);
  const read = useCallback(() => bars.current, []);
  return refused !== null ? <p className="refused" role="alert">{refused}</p> : <Drawn symbol={symbol} span={span} read={read} />;
}

function Drawn({ symbol, span, read }: { symbol: string; span: Span; read: () => readonly Candle[] }) {
  const theme = useCell(themed);
  const place = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let ended = false;
    let end = () => undefined as void;
    void import("lightweight-charts").then(({ createChart, CandlestickSeries }) => {
      if (ended || place.current === null) return;
      const chart = createChart(place.current, options());
      const [up, down] = [token("--buy"), token("--sell")];
      // A day has no time of day, and its bar is a day of the log: UTC.
      chart.timeScale().applyOptions({ timeVisible: span !== "1d" });
      const series = chart.addSeries(CandlestickSeries, { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
      const draw = () => {
        const found = read();
        series.setData(spaced(found, LENGTH_MS[span]).map((one) => ({ ...one, time: (span === "1d" ? Math.floor(one.at / 1_000) : local(one.at)) as never })));
        if (table.current !== null) table.current.textContent = summary(symbol, span, found);
      };
      draw();
      const timer = setInterval(draw, DRAW_MS);
      end = () => {
        clearInterval(timer);
        chart.remove();
      };
    });
    return () => {
      ended = true;
      end();
    };
  }, [read, symbol, span, theme]);
  return (
    <>
      <div ref={place} className="chart-canvas" aria-hidden="true" />
      <div ref={table} className="sr" data-candles={span} />
    </>
  );
}

/** The same in words, for who does not see the drawing. */
function summary(symbol: string, span: Span, found: readonly Candle[]): string {
  const last = found.at(-1);
  if (last === undefined) return `No prices of ${symbol} were seen yet.`;
  const missing = gaps(found, LENGTH_MS[span]);
  const pauses = missing === 0 ? "" : ` with ${missing} ${missing === 1 ? "gap" : "gaps"} in which nothing was received`;
  return `${symbol}: ${found.length} candles of ${span === "10s" ? "ten seconds" : span}${pauses}, the last opened at ${last.open}, high ${last.high}, low ${last.low}, now ${last.close}.`;
}

const seen: { time: number; value: number }[] = [];

/** Net profit and loss while this tab watches. */
export function PnlChart() {
  const theme = useCell(themed);
  const place = useRef<HTMLDivElement>(null);
  const pnl = useAsked({ queryKey: ["pnl chart"], queryFn: () => unwrap(api.GET("/api/v1/pnl/today", {})), refetchInterval: 1_000 });
  const net = pnl.data?.data[0]?.net;
  const at = pnl.dataUpdatedAt;
  useEffect(() => {
    if (net === undefined) return;
    const time = local(at);
    // For drawing only; the amounts beside it are exact.
    if (seen.at(-1)?.time === time) seen.pop();
    seen.push({ time, value: Number(net) });
    if (seen.length > 3_600) seen.shift();
  }, [net, at]);
  useEffect(() => {
    let ended = false;
    let end = () => undefined as void;
    void import("lightweight-charts").then(({ createChart, BaselineSeries }) => {
      if (ended || place.current === null) return;
      const chart = createChart(place.current, options());
      const [up, down] = [token("--buy"), token("--sell")];
      const series = chart.addSeries(BaselineSeries, {
        baseValue: { type: "price", price: 0 }, topLineColor: up, bottomLineColor: down, lineWidth: 1,
        topFillColor1: `${up}55`, topFillColor2: `${up}08`, bottomFillColor1: `${down}08`, bottomFillColor2: `${down}55`,
      });
      const draw = () => {
        series.setData(seen as never);
        chart.timeScale().fitContent();
      };
      draw();
      const timer = setInterval(draw, 1_000);
      end = () => {
        clearInterval(timer);
        chart.remove();
      };
    });
    return () => {
      ended = true;
      end();
    };
  }, [theme]);
  return <div className="chart"><div ref={place} className="chart-canvas" aria-hidden="true" /><p className="sr">Net now: {net ?? "not known"}</p><Attribution /></div>;
}
