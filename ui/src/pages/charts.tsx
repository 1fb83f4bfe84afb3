import { useQuery as useAsked } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, unwrap } from "../api/client";
import { useDesk } from "../shell/context";
import { useCell } from "../stream/desk";
import { Cell } from "../stream/table";
import { candles, type Candle } from "./candles";

/** Colours of the sheet, for what is drawn and not laid out. */
function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Changes when another theme is chosen. */
export const themed = new Cell(0);

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

/** Candles of the mid as this tab saw it, ten seconds each. */
export function Candles({ symbol }: { symbol: string }) {
  const desk = useDesk();
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
      const series = chart.addSeries(CandlestickSeries, { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
      const draw = () => {
        const found = candles(desk.ticks.get(symbol) ?? [], 10_000);
        series.setData(found.map((one) => ({ ...one, time: local(one.at) as never })));
        if (table.current !== null) table.current.textContent = summary(symbol, found);
      };
      draw();
      const timer = setInterval(draw, 500);
      end = () => {
        clearInterval(timer);
        chart.remove();
      };
    });
    return () => {
      ended = true;
      end();
    };
  }, [desk, symbol, theme]);
  return (
    <div className="chart">
      <div ref={place} className="chart-canvas" aria-hidden="true" />
      <div ref={table} className="sr" />
      <Attribution />
    </div>
  );
}

/** The same in words, for who does not see the drawing. */
function summary(symbol: string, found: readonly Candle[]): string {
  const last = found.at(-1);
  if (last === undefined) return `No prices of ${symbol} were seen yet.`;
  return `${symbol}: ${found.length} candles of ten seconds, the last opened at ${last.open}, high ${last.high}, low ${last.low}, now ${last.close}.`;
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
