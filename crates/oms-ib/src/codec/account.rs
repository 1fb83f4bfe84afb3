//! What is told of accounts: positions, values, profit and loss.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{Contract, Fault, Number, Size};

message! {
    /// A position.
    Position {
        /// Whose.
        account: String = 1,
        /// Of what.
        contract: Contract = 2,
        /// How much; negative is short.
        position: Size = 3,
        /// Average cost of one unit, multiplier and commission included.
        avg_cost: Number = 4,
    }
}

impl Wire for Position {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("3").put(&self.account);
        self.contract.write_eleven(out);
        out.put(&self.position).put(&self.avg_cost);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        let (account, contract) = (input.get()?, Contract::read_eleven(input)?);
        Ok(Self { account, contract, position: input.get()?, avg_cost: input.get()? })
    }
}

message! {
    /// A value of an account.
    AccountValue {
        /// Which value.
        key: String = 1,
        /// The value.
        value: String = 2,
        /// Its currency.
        currency: String = 3,
        /// Whose.
        account: String = 4,
    }
}
text!(AccountValue version "2" { key, value, currency, account });
message! {
    /// When an account's values were last looked at, `HH:MM`.
    AccountTime {
        /// The time.
        time: String = 1,
    }
}
text!(AccountTime version "1" { time });
message! {
    /// A position and its value.
    PortfolioValue {
        /// Of what.
        contract: Contract = 1,
        /// How much.
        position: Size = 2,
        /// At which price.
        price: Number = 3,
        /// Worth.
        value: Number = 4,
        /// Average cost.
        avg_cost: Number = 5,
        /// Profit that is not realised.
        unrealized: Number = 6,
        /// Profit that is realised.
        realized: Number = 7,
        /// Whose.
        account: String = 8,
    }
}

impl Wire for PortfolioValue {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("8");
        self.contract.write_portfolio(out);
        out.put(&self.position).put(&self.price).put(&self.value).put(&self.avg_cost).put(&self.unrealized);
        out.put(&self.realized).put(&self.account);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        Ok(Self {
            contract: Contract::read_portfolio(input)?,
            position: input.get()?,
            price: input.get()?,
            value: input.get()?,
            avg_cost: input.get()?,
            unrealized: input.get()?,
            realized: input.get()?,
            account: input.get()?,
        })
    }
}

message! {
    /// A chosen value of an account.
    AccountSummary {
        /// Of the request.
        req_id: i32 = 1,
        /// Whose.
        account: String = 2,
        /// Which value.
        tag: String = 3,
        /// The value.
        value: String = 4,
        /// Its currency.
        currency: String = 5,
    }
}
text!(AccountSummary version "1" { req_id, account, tag, value, currency });
message! {
    /// A value of an account or model.
    AccountMulti {
        /// Of the request.
        req_id: i32 = 1,
        /// Whose.
        account: String = 2,
        /// Of which model.
        model: String = 3,
        /// Which value.
        key: String = 4,
        /// The value.
        value: String = 5,
        /// Its currency.
        currency: String = 6,
    }
}
text!(AccountMulti version "1" { req_id, account, model, key, value, currency });
message! {
    /// Profit and loss of an account.
    Pnl {
        /// Of the request.
        req_id: i32 = 1,
        /// Of the day.
        daily: Option<Number> = 2,
        /// Not realised.
        unrealized: Option<Number> = 3,
        /// Realised.
        realized: Option<Number> = 4,
    }
}
text!(Pnl { req_id, daily, unrealized, realized });
message! {
    /// The end of an account's values and positions.
    AccountEnd {
        /// Which account.
        account: String = 1,
    }
}
text!(AccountEnd version "1" { account });
message! {
    /// The end of positions.
    PositionsEnd {}
}
text!(PositionsEnd version "1" {});
