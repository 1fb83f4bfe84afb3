import type { components } from "./schema";

type Schemas = components["schemas"];
/** As REST shows it; what a view tells has `in_doubt` too: whether the outcome of the order or of a leg of it is not known. */
export type Order = Schemas["Order"] & { in_doubt?: boolean };
/** The tree as the server nests it. */
export type OrderTree = Order & { children: OrderTree[] };
export type Execution = Schemas["Execution"];
export type Suspended = Schemas["Suspended"];
export type Position = Schemas["Position"];
export type RiskStatus = Schemas["RiskStatus"];
export type LimitUse = Schemas["LimitUse"];
export type Market = Schemas["MarketSnapshot"];
export type Instrument = Schemas["Instrument"];
export type NewOrder = Schemas["NewOrder"];
export type Preview = Schemas["Preview"];
export type BrokerPreview = Schemas["BrokerPreview"];
export type CheckResult = Schemas["CheckResult"];
export type Route = Schemas["Route"];
export type Why = Schemas["Why"];
export type Step = Schemas["Step"];
export type Side = Schemas["Side"];
export type OrdType = Schemas["OrdType"];
export type TimeInForce = Schemas["TimeInForce"];
export type Refusal = Schemas["Error"];
export type Quote = Schemas["Quote"];
export type QuoteRequest = Schemas["QuoteRequest"];
export type Allocation = Schemas["Allocation"];
export type Group = Schemas["Group"];
export type VenueStatistic = Schemas["VenueStatistic"];
export type FixSession = Schemas["FixSession"];
export type Pnl = Schemas["Pnl"];
export type KillSwitch = Schemas["KillSwitch"];
