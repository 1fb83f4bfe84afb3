import type { BrokerPreview, CheckResult, Route } from "../api/types";
import { decimal, share } from "../format/number";
import { Bar, Num, scopeText, words } from "../shell/parts";

const VERDICTS: Record<CheckResult["verdict"], [glyph: string, kind: string]> = {
  PASS: ["✓", "ok"], FAIL: ["⊘", "bad"], NOT_APPLICABLE: ["·", "none"], WARN: ["!", "warn"], HOLD: ["‖", "warn"], OVERRIDDEN: ["↷", "warn"],
};

/** Every check with its number against its limit. */
export function Checks({ checks }: { checks: readonly CheckResult[] }) {
  return (
    <table className="table">
      <thead><tr><th>Verdict</th><th>Check</th><th className="right">Value</th><th className="right">Limit</th><th>Used</th><th>Scope</th></tr></thead>
      <tbody>
        {checks.map((check, at) => {
          const [glyph, kind] = VERDICTS[check.verdict];
          const used = check.value !== null && check.limit !== null && !["TICK", "LOT"].includes(check.check) ? share(check.value.replace("-", ""), check.limit) : null;
          return (
            <tr key={`${check.check} ${check.scope} ${at}`} className={kind === "bad" ? "row-bad" : ""}>
              <td><span className={`verdict ${kind}`}><span aria-hidden="true">{glyph}</span> {words(check.verdict)}</span></td>
              <td>{words(check.check)}</td>
              <td className="right"><Num value={check.value} /></td>
              <td className="right"><Num value={check.limit} /></td>
              <td>{used !== null && <Bar share={used} label={`${words(check.check)}: used of the limit`} />}</td>
              <td className="muted">{scopeText(check.scope)}{check.limit_version > 0 ? ` v${check.limit_version}` : ""}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** What a broker says that a leg would cost and bind, or that it does not say so. */
export function BrokerSays({ said }: { said: BrokerPreview }) {
  if (!said.available) return <p className="muted">{said.venue}: margin and commission are not available: {said.reason ?? ""}</p>;
  const commission = [said.commission, said.min_commission !== said.max_commission ? `${decimal(said.min_commission, 2)} to ${decimal(said.max_commission, 2)}` : null];
  return (
    <>
      <dl className="facts" aria-label={`What ${said.venue} says`}>
        <div><dt>Initial margin</dt><dd>{decimal(said.init_margin_change, 2) || "-"}</dd></div>
        <div><dt>Maintenance margin</dt><dd>{decimal(said.maint_margin_change, 2) || "-"}</dd></div>
        <div><dt>Equity with loan after</dt><dd>{decimal(said.equity_with_loan_after, 2) || "-"}</dd></div>
        <div><dt>Commission of {said.venue}</dt><dd>{commission[0] === null ? (commission[1] ?? "-") : decimal(commission[0], 2)} {said.commission_currency ?? ""}</dd></div>
      </dl>
      {said.warning !== null && <p className="guard">{said.venue}: {said.warning}</p>}
    </>
  );
}

/** What each venue offered, how it was scored, and what went there. */
export function RouteTable({ route, brief = false }: { route: Route; brief?: boolean }) {
  const taken = new Map(route.legs.map((leg) => [leg.venue, leg]));
  const candidates = brief ? route.candidates.filter((one) => one.excluded === null || taken.has(one.venue)) : route.candidates;
  return (
    <>
      <p className="route-line">
        <b>{words(route.mode)}</b> under {route.policy} v{route.policy_version}, best {decimal(route.bid, 2) || "-"} / {decimal(route.ask, 2) || "-"}
        {route.legs.length > 0 && <>, to {route.legs.map((leg) => `${leg.venue} ${decimal(leg.qty)}${leg.price === null ? "" : ` at ${decimal(leg.price, 2)}`} ${leg.time_in_force}`).join("; ")}</>}
      </p>
      <table className="table">
        <thead>
          <tr><th>Venue</th><th>Score</th>{!brief && <><th className="right">Price</th><th className="right">Latency</th><th className="right">Fill</th><th className="right">Fee</th></>}<th className="right">Bid</th>{!brief && <th className="right">Size</th>}<th className="right">Ask</th>{!brief && <th className="right">Size</th>}<th className="right">Leg</th></tr>
        </thead>
        <tbody>
          {candidates.map((one) => (
            <tr key={one.venue} className={taken.has(one.venue) ? "row-taken" : one.excluded !== null ? "row-out" : ""}>
              <td>{one.venue}{one.excluded !== null && <span className="muted"> {words(one.excluded)}</span>}</td>
              <td><Bar share={share(one.score, "1")} label={`Score of ${one.venue}`} hot={10_001} /> {decimal(one.score, 2)}</td>
              {!brief && <><td className="right">{one.price_score}</td><td className="right">{one.latency_score}</td><td className="right">{one.fill_score}</td><td className="right">{one.fee_score}</td></>}
              <td className="right"><Num value={one.bid} decimals={2} /></td>
              {!brief && <td className="right"><Num value={one.bid_size} /></td>}
              <td className="right"><Num value={one.ask} decimals={2} /></td>
              {!brief && <td className="right"><Num value={one.ask_size} /></td>}
              <td className="right"><b><Num value={taken.get(one.venue)?.qty ?? null} /></b></td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
