//! Contracts: what is traded.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{Fault, Number, Size};

message! {
    /// What is traded, as far as whoever names it knows.
    Contract {
        /// The broker's number of it; 0 where it is described instead.
        con_id: i32 = 1,
        /// Symbol, of the underlying for derivatives.
        symbol: String = 2,
        /// `STK`, `OPT`, `FUT`, `CASH`, `CRYPTO`, `BOND`, `FUND`, `BAG` and others.
        sec_type: String = 3,
        /// `YYYYMMDD` or `YYYYMM`; empty where it does not expire.
        last_trade_date: String = 4,
        /// Strike of an option.
        strike: Option<Number> = 5,
        /// `C` or `P`; empty, `0` or `?` where it is no option.
        right: String = 6,
        /// Units in one contract.
        multiplier: Option<Number> = 7,
        /// Where to trade it: `SMART` or an exchange.
        exchange: String = 8,
        /// Where it is listed.
        primary_exchange: String = 9,
        /// Its currency.
        currency: String = 10,
        /// The exchange's symbol of it.
        local_symbol: String = 11,
        /// The exchange's class of it.
        trading_class: String = 12,
    }
}

impl Contract {
    /// The twelve fields of a request.
    pub(super) fn write_twelve(&self, out: &mut TextOut<'_>) {
        self.write_to_exchange(out);
        out.put(&self.primary_exchange).put(&self.currency).put(&self.local_symbol).put(&self.trading_class);
    }

    pub(super) fn read_twelve(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let mut contract = Self::read_to_exchange(input)?;
        contract.primary_exchange = input.get()?;
        contract.read_tail(input)?;
        Ok(contract)
    }

    /// The eleven fields of a report: without the primary exchange.
    pub(super) fn write_eleven(&self, out: &mut TextOut<'_>) {
        self.write_to_exchange(out);
        out.put(&self.currency).put(&self.local_symbol).put(&self.trading_class);
    }

    pub(super) fn read_eleven(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let mut contract = Self::read_to_exchange(input)?;
        contract.read_tail(input)?;
        Ok(contract)
    }

    /// The eleven fields of a portfolio row: the primary exchange in place of the exchange.
    pub(super) fn write_portfolio(&self, out: &mut TextOut<'_>) {
        self.write_to_multiplier(out);
        out.put(&self.primary_exchange).put(&self.currency).put(&self.local_symbol).put(&self.trading_class);
    }

    pub(super) fn read_portfolio(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let mut contract = Self::read_to_multiplier(input)?;
        contract.primary_exchange = input.get()?;
        contract.read_tail(input)?;
        Ok(contract)
    }

    fn write_to_multiplier(&self, out: &mut TextOut<'_>) {
        out.put(&self.con_id).put(&self.symbol).put(&self.sec_type).put(&self.last_trade_date);
        out.put(&self.strike).put(&self.right).put(&self.multiplier);
    }

    fn read_to_multiplier(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        Ok(Self {
            con_id: input.get()?,
            symbol: input.get()?,
            sec_type: input.get()?,
            last_trade_date: input.get()?,
            strike: input.get()?,
            right: input.get()?,
            multiplier: input.get()?,
            ..Self::default()
        })
    }

    fn write_to_exchange(&self, out: &mut TextOut<'_>) {
        self.write_to_multiplier(out);
        out.put(&self.exchange);
    }

    fn read_to_exchange(input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let mut contract = Self::read_to_multiplier(input)?;
        contract.exchange = input.get()?;
        Ok(contract)
    }

    fn read_tail(&mut self, input: &mut TextIn<'_>) -> Result<(), Fault> {
        (self.currency, self.local_symbol, self.trading_class) = (input.get()?, input.get()?, input.get()?);
        Ok(())
    }
}

message! {
    /// What is known about a contract besides its name.
    ContractDetails {
        /// The market's name.
        market_name: String = 1,
        /// The price increment. (Decimal text on the protobuf wire too.)
        min_tick: Option<Size> = 2,
        /// Order types that are taken, with commas.
        order_types: String = 3,
        /// Exchanges, with commas.
        valid_exchanges: String = 4,
        /// Prices are divided by this.
        price_magnifier: i32 = 5,
        /// The issuer's or product's name.
        long_name: String = 7,
        /// Time zone of the hours.
        time_zone: String = 12,
        /// Hours of all trading.
        trading_hours: String = 13,
        /// Hours of regular trading.
        liquid_hours: String = 14,
        /// Numbers of the price increment rules, with commas, by exchange.
        market_rule_ids: String = 21,
        /// `COMMON`, `ETF` and others.
        stock_type: String = 23,
        /// Smallest order.
        min_size: Option<Size> = 24,
        /// Orders are multiples of this.
        size_increment: Option<Size> = 25,
        /// Suggested multiple.
        suggested_size_increment: Option<Size> = 26,
        /// Identifiers (`ISIN`, `CUSIP`) by scheme; text only.
        sec_ids: Vec<(String, String)>,
    }
}

message! {
    /// One contract that fits a query.
    ContractData {
        /// Of the query.
        req_id: i32 = 1,
        /// The contract.
        contract: Contract = 2,
        /// What is known about it.
        details: ContractDetails = 3,
    }
}

impl Wire for ContractData {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        let (contract, details) = (&self.contract, &self.details);
        out.put(&self.req_id).put(&contract.symbol).put(&contract.sec_type).put(&contract.last_trade_date);
        out.put(&contract.strike).put(&contract.right).put(&contract.exchange).put(&contract.currency).put(&contract.local_symbol);
        out.put(&details.market_name).put(&contract.trading_class).put(&contract.con_id).put(&details.min_tick);
        out.put(&contract.multiplier).put(&details.order_types).put(&details.valid_exchanges).put(&details.price_magnifier);
        // No underlying; then the name, the listing, and five words about the industry.
        out.raw("0").put(&details.long_name).put(&contract.primary_exchange).all(&["", "", "", ""]);
        out.put(&details.time_zone).put(&details.trading_hours).put(&details.liquid_hours).all(&["", ""]);
        out.put(&details.sec_ids).all(&["", "", ""]).put(&details.market_rule_ids).raw("").put(&details.stock_type);
        out.put(&details.min_size).put(&details.size_increment).put(&details.suggested_size_increment);
    }

    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let (mut contract, mut details) = (Contract::default(), ContractDetails::default());
        let req_id = input.get()?;
        (contract.symbol, contract.sec_type, contract.last_trade_date) = (input.get()?, input.get()?, input.get()?);
        (contract.strike, contract.right, contract.exchange) = (input.get()?, input.get()?, input.get()?);
        (contract.currency, contract.local_symbol, details.market_name) = (input.get()?, input.get()?, input.get()?);
        (contract.trading_class, contract.con_id, details.min_tick) = (input.get()?, input.get()?, input.get()?);
        (contract.multiplier, details.order_types, details.valid_exchanges) = (input.get()?, input.get()?, input.get()?);
        details.price_magnifier = input.get()?;
        input.skip(1)?;
        (details.long_name, contract.primary_exchange) = (input.get()?, input.get()?);
        input.skip(4)?;
        (details.time_zone, details.trading_hours, details.liquid_hours) = (input.get()?, input.get()?, input.get()?);
        input.skip(2)?;
        details.sec_ids = input.get()?;
        input.skip(3)?;
        details.market_rule_ids = input.get()?;
        input.skip(1)?;
        details.stock_type = input.get()?;
        (details.min_size, details.size_increment, details.suggested_size_increment) = (input.get()?, input.get()?, input.get()?);
        Ok(Self { req_id, contract, details })
    }
}
